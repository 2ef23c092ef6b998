use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index(unique))]
    user: Option<u64>,
}

fn main() {}
