use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(alias = "n")]
    name: String,
    #[session(alias = "n")]
    display_name: String,
}

fn main() {}
