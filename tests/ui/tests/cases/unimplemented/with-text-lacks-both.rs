use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(with = "codec")]
    count: Option<u64>,
}

mod codec {}

fn main() {}
