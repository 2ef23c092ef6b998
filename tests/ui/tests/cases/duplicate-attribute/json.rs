use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(json, json)]
    count: u64,
}

fn main() {}
