#[derive(session_runtime::Session)]
struct Visitor {
    #[session(jsn)]
    count: u64,
}

async fn handler(session: session_runtime::Session<Visitor>) {
    let _ = session.count().await;
    let _ = session.set_count(3).await;
}
fn main() {}
