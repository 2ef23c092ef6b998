mod visitor {
    #[derive(session_runtime::Session)]
    pub struct Visitor {
        count: u64,
    }
}

async fn handler(session: session_runtime::Session<visitor::Visitor>) {
    let _ = session.count().await;
}
fn main() {}
