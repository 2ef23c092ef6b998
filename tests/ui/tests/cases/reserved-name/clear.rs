use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    clear: u64,
}

fn main() {}
