use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(rename = "user"))]
    user: Option<u64>,
}

fn main() {}
