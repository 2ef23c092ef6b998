use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrpyt)]
    email: Option<String>,
}

fn main() {}
