use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))]
    user: Option<u64>,
}

fn main() {}
