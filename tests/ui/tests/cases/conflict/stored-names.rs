use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    count: u64,
    #[session(rename = "count")]
    visits: u64,
}

fn main() {}
