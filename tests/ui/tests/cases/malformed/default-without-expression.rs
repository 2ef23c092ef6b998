use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(default = )]
    count: u64,
}

fn main() {}
