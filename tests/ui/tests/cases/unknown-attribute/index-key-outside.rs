use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, by = "find_user")]
    user: Option<u64>,
}

fn main() {}
