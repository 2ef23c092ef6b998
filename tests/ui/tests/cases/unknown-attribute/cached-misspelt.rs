use session_runtime::Session;

#[derive(Session)]
#[session(cachd)]
struct Visitor {
    #[session(cache)]
    theme: String,
}

fn main() {}
