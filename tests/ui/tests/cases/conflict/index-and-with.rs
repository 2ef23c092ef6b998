use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, with = codec)]
    user: Option<u64>,
}

fn main() {}
