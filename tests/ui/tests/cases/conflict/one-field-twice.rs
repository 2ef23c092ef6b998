use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    count: u64,
    count: u64,
}

fn main() {}
