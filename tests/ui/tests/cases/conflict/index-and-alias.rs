use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, alias = "user_id")]
    user: Option<u64>,
}

fn main() {}
