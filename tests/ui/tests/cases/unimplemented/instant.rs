#[derive(session_runtime::Session)]
struct Visitor {
    since: Option<std::time::Instant>,
}

fn main() {}
