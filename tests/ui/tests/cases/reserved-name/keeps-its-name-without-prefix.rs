use session_runtime::Session;

#[derive(Session)]
#[session(prefix = "cart.")]
struct Cart {
    clear: bool,
}

fn main() {}
