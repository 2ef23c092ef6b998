use session_runtime::FieldValue;

#[derive(FieldValue)]
struct Tags(Vec<String>);

fn main() {}
