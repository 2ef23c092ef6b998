use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(cached, ttl = "5m")]
    flash: Option<String>,
}

fn main() {}
