use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(default, default = 3)]
    count: u64,
}

fn main() {}
