use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(jsn)]
    first: u64,
    #[session(renamed = "a")]
    second: u64,
}

fn main() {}
