use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
    #[session(index(by = "by_user"))]
    owner: Option<u64>,
}

fn main() {}
