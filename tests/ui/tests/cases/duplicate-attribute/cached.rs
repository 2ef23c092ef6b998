use session_runtime::Session;

#[derive(Session)]
#[session(cached, cached = true)]
struct Visitor {
    #[session(cached, cached)]
    theme: String,
}

fn main() {}
