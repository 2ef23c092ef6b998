use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(alias = "")]
    count: u64,
}

fn main() {}
