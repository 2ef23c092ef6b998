use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(name = "a", name = "b"))]
    user: Option<u64>,
}

fn main() {}
