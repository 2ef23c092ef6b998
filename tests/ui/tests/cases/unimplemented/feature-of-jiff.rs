mod jiff {
    pub struct Timestamp;
}

#[derive(session_runtime::Session)]
struct Visitor {
    at: Option<jiff::Timestamp>,
}

fn main() {}
