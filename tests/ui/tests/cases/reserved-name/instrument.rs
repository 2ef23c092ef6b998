use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    instrument: u64,
}

fn main() {}
