use session_runtime::Session;

struct Address;

#[derive(Session)]
struct Account {
    #[session(json, encrypt(pad = 64))]
    address: Option<Address>,
}

fn main() {}
