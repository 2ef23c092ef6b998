use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt(pad = 70000))]
    email: Option<String>,
}

fn main() {}
