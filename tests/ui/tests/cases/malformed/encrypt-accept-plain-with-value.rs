use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(accept_plain = true))]
    email: Option<String>,
}

fn main() {}
