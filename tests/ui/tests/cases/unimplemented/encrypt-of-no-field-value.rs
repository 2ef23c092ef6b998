use session_runtime::Session;

struct Address;

#[derive(Session)]
struct Account {
    #[session(encrypt)]
    address: Address,
}

fn main() {}
