use session_runtime::Session;

#[derive(Session)]
#[session(on_decode_error = "Default")]
struct Visitor {
    count: u64,
}

fn main() {}
