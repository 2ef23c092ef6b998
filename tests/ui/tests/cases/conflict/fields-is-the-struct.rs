use session_runtime::Session;

#[derive(Session)]
#[session(fields = "Visitor")]
struct Visitor {
    count: u64,
}

fn main() {}
