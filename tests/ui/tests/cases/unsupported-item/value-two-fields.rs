use session_runtime::FieldValue;

#[derive(FieldValue)]
struct Point(u8, u8);

fn main() {}
