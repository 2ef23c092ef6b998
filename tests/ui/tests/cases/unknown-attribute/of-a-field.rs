use session_runtime::Session;

#[derive(Session)]
#[session(json)]
struct Visitor {
    count: u64,
}

fn main() {}
