use session_runtime::Session;

#[derive(Session)]
#[session(rename_all = "PascalCase")]
struct Visitor {
    first_seen: u64,
    first__seen: u64,
}

fn main() {}
