use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename = "session.load")]
    load: u64,
}

fn main() {}
