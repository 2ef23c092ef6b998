use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(ttl = "m")]
    flash: String,
}

fn main() {}
