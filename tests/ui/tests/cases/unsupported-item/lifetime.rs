use session_runtime::Session;

#[derive(Session)]
struct Visitor<'a> {
    name: std::borrow::Cow<'a, str>,
}

fn main() {}
