use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    name: String,
    #[session(alias = "name")]
    display_name: String,
}

fn main() {}
