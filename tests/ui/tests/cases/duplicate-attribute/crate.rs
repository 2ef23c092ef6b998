use session_runtime::Session;

#[derive(Session)]
#[session(crate = session_runtime, crate = session_runtime)]
struct Visitor {
    count: u64,
}

fn main() {}
