use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip)]
    loaded_at: std::time::Instant,
}

fn main() {}
