use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    touch: u64,
}

fn main() {}
