use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    into: u64,
}

fn main() {}
