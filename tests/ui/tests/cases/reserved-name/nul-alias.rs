use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(alias = "\0")]
    count: u64,
}

fn main() {}
