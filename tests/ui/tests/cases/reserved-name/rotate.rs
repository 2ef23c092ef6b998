use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    rotate: u64,
}

fn main() {}
