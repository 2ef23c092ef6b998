use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip, rename = "n")]
    count: u64,
}

fn main() {}
