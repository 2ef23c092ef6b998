use session_runtime::FieldValue;

#[derive(FieldValue)]
struct UserId {
    id: u64,
}

fn main() {}
