use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(ttl = 300)]
    flash: String,
}

fn main() {}
