use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    ended: u64,
}

fn main() {}
