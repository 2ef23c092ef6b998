use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(ttl = "5m", ttl = "6m")]
    flash: String,
}

fn main() {}
