use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    name: &str,
}

fn main() {}
