use session_runtime::Session;

#[derive(Session)]
enum Visitor {
    Count(u64),
}

fn main() {}
