use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, json)]
    user: Option<u64>,
}

fn main() {}
