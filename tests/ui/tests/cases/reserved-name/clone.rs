use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    clone: u64,
}

fn main() {}
