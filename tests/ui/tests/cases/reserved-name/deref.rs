use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    deref: u64,
}

fn main() {}
