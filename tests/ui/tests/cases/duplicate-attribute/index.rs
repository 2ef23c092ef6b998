use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, index)]
    user: Option<u64>,
}

fn main() {}
