use session_runtime::Session;

#[derive(Session)]
#[session(prefix = "cart.")]
struct Cart {
    #[session(alias = "cart.items")]
    items: u64,
}

fn main() {}
