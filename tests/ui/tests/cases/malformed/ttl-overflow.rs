use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(ttl = "18446744073709551615d")]
    flash: String,
}

fn main() {}
