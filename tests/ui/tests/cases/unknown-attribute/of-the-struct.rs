use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename_all = "camelCase")]
    count: u64,
}

fn main() {}
