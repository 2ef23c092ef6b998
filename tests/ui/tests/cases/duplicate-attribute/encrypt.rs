use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt, encrypt(pad = 64))]
    email: Option<String>,
}

fn main() {}
