use session_runtime::Session;

#[derive(Session)]
#[session(prefix = "cart.")]
struct Cart {
    items: u64,
    #[session(rename = "items")]
    goods: u64,
}

fn main() {}
