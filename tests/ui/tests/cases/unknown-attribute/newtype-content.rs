use session_runtime::FieldValue;

#[derive(FieldValue)]
struct UserId(#[session(json)] u64);

fn main() {}
