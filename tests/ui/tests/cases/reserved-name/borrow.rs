use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    borrow: u64,
}

fn main() {}
