use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt = true)]
    email: Option<String>,
}

fn main() {}
