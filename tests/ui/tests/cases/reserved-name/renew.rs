use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    renew: u64,
}

fn main() {}
