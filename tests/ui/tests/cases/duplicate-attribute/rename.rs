use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename = "a")]
    #[session(rename = "b")]
    count: u64,
}

fn main() {}
