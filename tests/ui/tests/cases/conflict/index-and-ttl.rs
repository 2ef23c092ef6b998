use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(ttl = "5m", index)]
    user: Option<u64>,
}

fn main() {}
