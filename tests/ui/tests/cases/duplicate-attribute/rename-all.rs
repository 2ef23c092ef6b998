use session_runtime::Session;

#[derive(Session)]
#[session(rename_all = "camelCase", rename_all = "camelCase")]
struct Visitor {
    count: u64,
}

fn main() {}
