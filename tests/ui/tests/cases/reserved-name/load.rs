use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    load: u64,
}

fn main() {}
