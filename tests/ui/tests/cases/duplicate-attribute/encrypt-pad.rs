use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(pad = 64, accept_plain, pad = 32))]
    email: Option<String>,
}

fn main() {}
