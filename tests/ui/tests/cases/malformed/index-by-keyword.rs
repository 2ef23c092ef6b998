use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(by = "in"))]
    user: Option<u64>,
}

fn main() {}
