#![deny(unused_must_use)]
#[derive(session_runtime::Session)]
struct Visitor {
    count: u64,
    name: String,
}

async fn handler(session: session_runtime::Session<Visitor>) {
    session.set_count(3);
}
fn main() {}
