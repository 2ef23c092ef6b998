use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    end_reason: u64,
}

fn main() {}
