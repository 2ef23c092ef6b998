use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: u64,
}

fn main() {
    let _ = Auth::by_user(42);
}
