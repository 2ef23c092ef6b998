struct Uuid;

#[derive(session_runtime::Session)]
struct Visitor {
    #[session(default = Uuid)]
    id: Uuid,
}

fn main() {}
