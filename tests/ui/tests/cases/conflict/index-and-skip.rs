use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, skip)]
    user: Option<u64>,
}

fn main() {}
