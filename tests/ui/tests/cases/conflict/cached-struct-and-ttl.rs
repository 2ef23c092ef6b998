use session_runtime::Session;

#[derive(Session)]
#[session(cached)]
struct Visitor {
    theme: String,
    #[session(ttl = "5m")]
    flash: Option<String>,
}

fn main() {}
