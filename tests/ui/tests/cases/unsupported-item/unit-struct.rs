use session_runtime::Session;

#[derive(Session)]
struct Visitor;

fn main() {}
