//! The sessions of an application.

use session_runtime::{Session, Sessions};

#[derive(Session)]
pub(crate) struct Account {
    #[session(index)]
    pub(crate) user: Option<u64>,
    pub(crate) name: String,
    pub(crate) avatar: Vec<u8>,
    #[session(encrypt)]
    pub(crate) email: Option<String>,
    #[session(index, encrypt)]
    pub(crate) phone: Option<String>,
}

/// Creates a session of a user.
pub(crate) async fn sign_in(sessions: &Sessions, user: u64) -> Session<Account> {
    let session = sessions.create::<Account>().await.unwrap();
    session.set_user(user).await.unwrap();
    session
}

pub(crate) fn tag(session: &Session<Account>) -> String {
    session.session_id().unwrap().tag().to_owned()
}
