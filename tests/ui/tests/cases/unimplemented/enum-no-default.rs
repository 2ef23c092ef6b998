#[derive(session_runtime::FieldValue)]
enum Theme {
    Light,
}

#[derive(session_runtime::Session)]
struct Visitor {
    theme: Theme,
}

fn main() {}
