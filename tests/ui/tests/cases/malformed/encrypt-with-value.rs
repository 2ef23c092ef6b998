use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt = "aes")]
    email: Option<String>,
}

fn main() {}
