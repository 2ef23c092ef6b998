use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(pad = 0))]
    email: Option<String>,
}

fn main() {}
