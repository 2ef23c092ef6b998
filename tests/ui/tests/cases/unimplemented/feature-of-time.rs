mod time {
    pub struct OffsetDateTime;
}

#[derive(session_runtime::Session)]
struct Visitor {
    at: time::OffsetDateTime,
}

fn main() {}
