use session_runtime::FieldValue;

#[derive(FieldValue)]
#[session(rename_al = "lowercase")]
enum Theme {
    Light,
}

fn main() {}
