use session_runtime::FieldValue;

#[derive(FieldValue)]
enum Theme {
    #[session(default)]
    Light,
    #[session(default)]
    Dark,
}

fn main() {}
