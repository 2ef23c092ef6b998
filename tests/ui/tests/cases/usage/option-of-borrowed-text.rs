#[derive(session_runtime::Session)]
struct Visitor {
    count: u64,
    name: Option<String>,
}

async fn handler(session: session_runtime::Session<Visitor>) {
    let _ = session.set_name(Some("x")).await;
}
fn main() {}
