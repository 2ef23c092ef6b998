use session_runtime::{FieldValue, Session};

#[derive(FieldValue)]
struct Letter(char);

#[derive(Session)]
struct Visitor {
    letter: Letter,
}

fn main() {}
