use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    to_owned: u64,
}

fn main() {}
