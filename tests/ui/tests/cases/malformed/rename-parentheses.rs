use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename("n"))]
    count: u64,
}

fn main() {}
