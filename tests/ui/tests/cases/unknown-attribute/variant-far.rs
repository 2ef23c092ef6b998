use session_runtime::FieldValue;

#[derive(FieldValue)]
enum Theme {
    #[session(json)]
    Light,
}

fn main() {}
