use session_runtime::Session;

#[derive(Session)]
struct Cart {
    #[session(prefix = "cart.")]
    items: u64,
}

fn main() {}
