use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    write: u64,
}

fn main() {}
