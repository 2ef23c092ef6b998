use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(name = ""))]
    user: Option<u64>,
}

fn main() {}
