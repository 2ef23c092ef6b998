use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(default = "three")]
    count: u64,
}

fn main() {}
