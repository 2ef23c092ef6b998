use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip, default = "yes")]
    greeted: bool,
}

fn main() {}
