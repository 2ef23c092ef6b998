use session_runtime::Session;

#[derive(Session)]
union Visitor {
    count: u64,
}

fn main() {}
