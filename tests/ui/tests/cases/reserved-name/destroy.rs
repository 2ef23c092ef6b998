use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    destroy: u64,
}

fn main() {}
