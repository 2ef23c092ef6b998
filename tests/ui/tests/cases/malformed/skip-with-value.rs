use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip = true)]
    count: u64,
}

fn main() {}
