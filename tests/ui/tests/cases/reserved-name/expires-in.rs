use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    expires_in: u64,
}

fn main() {}
