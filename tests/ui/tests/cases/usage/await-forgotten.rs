#[derive(session_runtime::Session)]
struct Visitor {
    count: u64,
    name: String,
}

async fn handler(session: session_runtime::Session<Visitor>) -> Result<(), session_runtime::Error> {
    let _ = session.count()?;
    Ok(())
}
fn main() {}
