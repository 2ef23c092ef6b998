use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(show = true)]
    count: u64,
    #[session(show = "name")]
    name: String,
}

fn main() {}
