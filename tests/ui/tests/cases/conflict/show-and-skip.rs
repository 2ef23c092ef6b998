use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(show, skip)]
    count: u64,
}

fn main() {}
