use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    exists: u64,
}

fn main() {}
