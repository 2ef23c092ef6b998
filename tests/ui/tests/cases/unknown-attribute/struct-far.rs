use session_runtime::Session;

#[derive(Session)]
#[session(transparent)]
struct Visitor {
    count: u64,
}

fn main() {}
