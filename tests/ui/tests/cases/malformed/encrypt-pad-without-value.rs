use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(pad))]
    email: Option<String>,
}

fn main() {}
