use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
}

impl Auth {
    fn by_user() {}
}

fn main() {}
