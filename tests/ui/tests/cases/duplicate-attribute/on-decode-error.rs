use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(on_decode_error = "error", on_decode_error = "default")]
    count: u64,
}

fn main() {}
