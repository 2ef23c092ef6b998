use session_runtime::Session;

#[derive(Session)]
#[session(prefix = "cart.", prefix = "basket.")]
struct Cart {
    items: u64,
}

fn main() {}
