use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(json = true)]
    count: u64,
}

fn main() {}
