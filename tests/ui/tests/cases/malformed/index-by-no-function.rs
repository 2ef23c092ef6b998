use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(by = "find user"))]
    user: Option<u64>,
}

fn main() {}
