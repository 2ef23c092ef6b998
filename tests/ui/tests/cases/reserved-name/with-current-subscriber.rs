use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    with_current_subscriber: u64,
}

fn main() {}
