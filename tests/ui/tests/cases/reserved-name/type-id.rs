use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    type_id: u64,
}

fn main() {}
