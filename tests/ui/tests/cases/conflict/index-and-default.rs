use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, default = Some(1))]
    user: Option<u64>,
}

fn main() {}
