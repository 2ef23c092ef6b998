use session_runtime::Session;

#[derive(Session)]
#[session(rename_all = "reverse")]
struct Visitor {
    count: u64,
}

fn main() {}
