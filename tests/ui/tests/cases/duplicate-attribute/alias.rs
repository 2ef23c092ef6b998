use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(alias = "a", alias = "b")]
    count: u64,
}

fn main() {}
