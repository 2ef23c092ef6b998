use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(pad = 1))]
    email: Option<String>,
}

fn main() {}
