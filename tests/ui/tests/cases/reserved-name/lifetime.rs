use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    lifetime: u64,
}

fn main() {}
