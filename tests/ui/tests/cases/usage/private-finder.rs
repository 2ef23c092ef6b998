use session_runtime::Session;

mod auth {
    #[derive(super::Session)]
    pub struct Auth {
        #[session(index)]
        user: Option<u64>,
    }
}

fn main() {
    let _ = auth::Auth::by_user(42);
}
