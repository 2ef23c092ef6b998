use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(with = a, with = b)]
    flash: String,
}

fn main() {}
