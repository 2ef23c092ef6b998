use session_runtime::Session;

#[derive(Session)]
#[session(show)]
struct Visitor {
    #[session(shwo)]
    count: u64,
}

fn main() {}
