#[derive(session_runtime::Session)]
struct Visitor {
    #[session(json)]
    name: Option<&'static str>,
}

fn main() {}
