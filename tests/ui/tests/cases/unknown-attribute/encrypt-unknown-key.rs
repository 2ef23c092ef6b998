use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(algorithm = "aes"))]
    email: Option<String>,
}

fn main() {}
