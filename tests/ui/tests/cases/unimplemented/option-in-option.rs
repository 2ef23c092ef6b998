use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    age: Option<Option<u32>>,
}

fn main() {}
