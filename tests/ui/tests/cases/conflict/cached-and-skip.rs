use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip, cached)]
    tries: u8,
}

fn main() {}
