use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    session_id: u64,
}

fn main() {}
