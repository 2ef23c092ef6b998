use session_runtime::FieldValue;

#[derive(FieldValue)]
struct Name<'a>(&'a str);

fn main() {}
