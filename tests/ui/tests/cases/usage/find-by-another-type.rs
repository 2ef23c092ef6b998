use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
}

fn main() {
    let _ = Auth::by_user("Ada");
}
