use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    in_current_span: u64,
}

fn main() {}
