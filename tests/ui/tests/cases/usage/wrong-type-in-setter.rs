#[derive(session_runtime::Session)]
struct Visitor {
    count: u64,
    name: String,
}

async fn handler(session: session_runtime::Session<Visitor>) {
    let _ = session.set_count("three").await;
}
fn main() {}
