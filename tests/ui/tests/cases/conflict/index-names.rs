use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
    #[session(index(name = "user"))]
    owner: Option<u64>,
}

fn main() {}
