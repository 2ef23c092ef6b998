use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    name: String,
}

async fn page(session: Session<Visitor>) {
    let _ = session.name().incr("x".to_owned()).await;
}

fn main() {}
