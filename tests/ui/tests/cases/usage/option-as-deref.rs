#[derive(session_runtime::Session)]
struct Visitor {
    count: u64,
    name: Option<String>,
}

async fn handler(session: session_runtime::Session<Visitor>, name: Option<String>) {
    let _ = session.set_name(name.as_deref()).await;
}
fn main() {}
