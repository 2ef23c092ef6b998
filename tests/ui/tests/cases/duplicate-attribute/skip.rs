use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip, skip)]
    flash: String,
}

fn main() {}
