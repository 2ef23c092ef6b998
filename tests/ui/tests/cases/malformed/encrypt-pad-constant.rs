use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(pad = BLOCK))]
    email: Option<String>,
}

fn main() {}
