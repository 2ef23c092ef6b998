use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(with = "a codec")]
    count: u64,
}

fn main() {}
