use session_runtime::Session;

#[derive(Session)]
#[session(renameall = "camelCase")]
struct Visitor {
    count: u64,
}

fn main() {}
