#[derive(session_runtime::Session)]
struct Visitor {
    name: &'static str,
}

fn main() {}
