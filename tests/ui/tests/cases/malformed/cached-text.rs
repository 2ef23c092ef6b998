use session_runtime::Session;

#[derive(Session)]
#[session(cached = "false")]
struct Visitor {
    #[session(cached(no))]
    theme: String,
}

fn main() {}
