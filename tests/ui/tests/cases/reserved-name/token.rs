use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    token: u64,
}

fn main() {}
