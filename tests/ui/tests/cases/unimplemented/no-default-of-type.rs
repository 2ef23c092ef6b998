use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(default)]
    name: &'static str,
}

fn main() {}
