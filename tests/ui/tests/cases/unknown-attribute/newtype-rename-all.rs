use session_runtime::FieldValue;

#[derive(FieldValue)]
#[session(rename_all = "lowercase")]
struct UserId(u64);

fn main() {}
