use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    fmt: u64,
}

fn main() {}
