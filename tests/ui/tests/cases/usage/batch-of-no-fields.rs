use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn page(session: Session<Visitor>) {
    let _ = session.read((session.count(), 3)).await;
}

fn main() {}
