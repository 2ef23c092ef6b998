use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    check_form_token: u64,
}

fn main() {}
