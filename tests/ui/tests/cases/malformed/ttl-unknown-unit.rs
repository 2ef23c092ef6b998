use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(ttl = "5min")]
    flash: String,
}

fn main() {}
