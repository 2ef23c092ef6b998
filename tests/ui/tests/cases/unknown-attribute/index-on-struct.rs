use session_runtime::Session;

#[derive(Session)]
#[session(index)]
struct Auth {
    user: Option<u64>,
}

fn main() {}
