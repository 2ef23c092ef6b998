use session_runtime::FieldValue;

#[derive(FieldValue)]
enum Theme {
    #[session(default = 3)]
    Light,
}

fn main() {}
