use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(flatten)]
    count: u64,
}

fn main() {}
