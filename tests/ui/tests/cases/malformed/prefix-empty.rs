use session_runtime::Session;

#[derive(Session)]
#[session(prefix = "")]
struct Cart {
    items: u64,
}

fn main() {}
