use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    try_into: u64,
}

fn main() {}
