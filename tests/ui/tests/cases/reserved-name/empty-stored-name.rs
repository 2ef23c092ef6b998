use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename = "")]
    count: u64,
}

fn main() {}
