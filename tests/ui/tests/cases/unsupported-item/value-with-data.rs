use session_runtime::FieldValue;

#[derive(FieldValue)]
enum Theme {
    Light,
    Custom(u32),
    Named { name: String },
}

fn main() {}
