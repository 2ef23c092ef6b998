#[derive(session_runtime::Session)]
struct Visitor {
    count: u64,
    name: Option<String>,
}

fn handler(session: session_runtime::Session<Visitor>) -> bool {
    session.count() == 3
}
fn main() {}
