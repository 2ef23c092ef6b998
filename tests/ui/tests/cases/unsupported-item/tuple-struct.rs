use session_runtime::Session;

#[derive(Session)]
struct Visitor(u64);

fn main() {}
