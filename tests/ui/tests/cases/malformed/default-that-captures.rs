use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(default = missing)]
    count: u64,
}

fn main() {}
