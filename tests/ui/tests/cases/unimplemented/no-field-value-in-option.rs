use session_runtime::Session;

struct Properties;

#[derive(Session)]
struct Visitor {
    properties: Option<Properties>,
}

fn main() {}
