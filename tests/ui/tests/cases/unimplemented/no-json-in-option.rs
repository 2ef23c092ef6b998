use session_runtime::Session;

struct Properties;

#[derive(Session)]
struct Visitor {
    #[session(json)]
    properties: Option<Properties>,
}

fn main() {}
