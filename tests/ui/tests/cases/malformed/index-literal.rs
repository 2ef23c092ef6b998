use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index("user"))]
    user: Option<u64>,
}

fn main() {}
