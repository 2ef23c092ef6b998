use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt)]
    email: Option<String>,
}

fn main() {}
