use session_runtime::FieldValue;

#[derive(FieldValue)]
enum Never {}

fn main() {}
