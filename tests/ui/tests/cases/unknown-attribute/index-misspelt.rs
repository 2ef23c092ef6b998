use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(indxe)]
    user: Option<u64>,
}

fn main() {}
