use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(acept_plain))]
    email: Option<String>,
}

fn main() {}
