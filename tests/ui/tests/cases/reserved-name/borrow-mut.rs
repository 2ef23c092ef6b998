use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    borrow_mut: u64,
}

fn main() {}
