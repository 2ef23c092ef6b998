use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(json, with = codec)]
    count: u64,
}

fn main() {}
