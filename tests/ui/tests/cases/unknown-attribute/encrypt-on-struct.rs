use session_runtime::Session;

#[derive(Session)]
#[session(encrypt(pad = 64))]
struct Account {
    email: Option<String>,
}

fn main() {}
