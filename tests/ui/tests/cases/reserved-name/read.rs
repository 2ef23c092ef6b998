use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    read: u64,
}

fn main() {}
