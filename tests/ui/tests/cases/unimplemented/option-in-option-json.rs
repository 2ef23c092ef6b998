use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(json)]
    age: Option<std::option::Option<u32>>,
}

fn main() {}
