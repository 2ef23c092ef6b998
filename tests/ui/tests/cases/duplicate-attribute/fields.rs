use session_runtime::Session;

#[derive(Session)]
#[session(fields = "A", fields = "B")]
struct Visitor {
    count: u64,
}

fn main() {}
