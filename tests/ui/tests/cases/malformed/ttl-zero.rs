use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(ttl = "0s")]
    flash: String,
}

fn main() {}
