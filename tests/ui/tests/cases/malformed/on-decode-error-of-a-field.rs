use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(on_decode_error = "ignore")]
    count: u64,
}

fn main() {}
