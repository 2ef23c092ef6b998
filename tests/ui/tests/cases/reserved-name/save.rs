use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    save: u64,
}

fn main() {}
