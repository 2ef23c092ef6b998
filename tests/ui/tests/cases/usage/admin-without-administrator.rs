//! Pages for administrators without a type that says who may see them.

use session_runtime::{Session, Sessions};

#[derive(Session)]
struct Auth {
    #[session(index, show)]
    user: Option<u64>,
}

fn pages(sessions: &Sessions) {
    let _ = sessions.admin::<Auth, ()>();
}

fn main() {}
