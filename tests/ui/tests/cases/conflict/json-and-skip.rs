use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(json, skip)]
    count: u64,
}

fn main() {}
