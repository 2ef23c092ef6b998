use session_runtime::Session;

#[derive(Session)]
#[session(chached)]
struct Visitor {
    #[session(cache)]
    theme: String,
}

fn main() {}
