use session_runtime::Session;

struct User;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<User>,
}

fn main() {
    let _ = Auth::by_user(User);
}
