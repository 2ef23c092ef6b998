use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(with = codec)]
    count: u64,
}

fn main() {}
