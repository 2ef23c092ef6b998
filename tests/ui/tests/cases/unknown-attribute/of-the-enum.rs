use session_runtime::FieldValue;

#[derive(FieldValue)]
enum Theme {
    #[session(rename_all = "lowercase")]
    Light,
}

fn main() {}
