use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(with = 3)]
    count: u64,
}

fn main() {}
