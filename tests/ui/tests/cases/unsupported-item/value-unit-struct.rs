use session_runtime::FieldValue;

#[derive(FieldValue)]
struct Nothing;

fn main() {}
