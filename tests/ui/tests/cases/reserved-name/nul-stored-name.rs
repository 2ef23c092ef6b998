use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename = "\0")]
    count: u64,
}

fn main() {}
