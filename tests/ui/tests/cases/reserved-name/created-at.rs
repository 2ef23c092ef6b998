use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    created_at: u64,
}

fn main() {}
