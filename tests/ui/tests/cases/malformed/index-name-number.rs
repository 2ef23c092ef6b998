use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(name = 3))]
    user: Option<u64>,
}

fn main() {}
