use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(default = 1, default = 2)]
    count: u64,
}

fn main() {}
