use session_runtime::FieldValue;

#[derive(FieldValue)]
#[session(rename_all = "lowercase")]
enum Theme {
    Light,
    #[session(rename = "light")]
    Dark,
}

fn main() {}
