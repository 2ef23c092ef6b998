mod chrono {
    pub struct DateTime<Tz>(Tz);
    pub struct Utc;
}

#[derive(session_runtime::Session)]
struct Visitor {
    at: Option<chrono::DateTime<chrono::Utc>>,
}

fn main() {}
