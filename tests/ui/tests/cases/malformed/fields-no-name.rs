use session_runtime::Session;

#[derive(Session)]
#[session(fields = "not a name")]
struct Visitor {
    count: u64,
}

fn main() {}
