use session_runtime::Session;

struct Properties;

#[derive(Session)]
struct Visitor {
    properties: std::vec::Vec<Properties>,
}

fn main() {}
