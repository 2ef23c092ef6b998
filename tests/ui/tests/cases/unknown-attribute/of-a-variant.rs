use session_runtime::FieldValue;

#[derive(FieldValue)]
#[session(rename = "light")]
enum Theme {
    Light,
}

fn main() {}
