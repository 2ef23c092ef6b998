use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, rename = "user:id")]
    user: Option<u64>,
}

fn main() {}
