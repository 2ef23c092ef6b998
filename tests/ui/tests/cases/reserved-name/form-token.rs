use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    form_token: u64,
}

fn main() {}
