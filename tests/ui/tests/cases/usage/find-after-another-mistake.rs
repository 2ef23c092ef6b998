use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index, json)]
    user: Option<u64>,
    #[session(index(by = "of_tenant"))]
    tenant: String,
}

fn main() {
    let _ = (Auth::by_user(42), Auth::of_tenant("a"));
}
