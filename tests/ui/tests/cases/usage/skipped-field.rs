use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip)]
    count: u64,
}

fn main() {
    let _ = |session: Session<Visitor>| session.set_count(1);
}
