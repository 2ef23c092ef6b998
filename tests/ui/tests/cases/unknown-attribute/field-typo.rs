use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(jsno)]
    count: u64,
}

fn main() {}
