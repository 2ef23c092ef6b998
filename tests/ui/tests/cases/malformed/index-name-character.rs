use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(name = "user id"))]
    user: Option<u64>,
}

fn main() {}
