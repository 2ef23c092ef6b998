use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session]
    count: u64,
}

fn main() {}
