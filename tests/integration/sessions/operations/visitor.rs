//! A visitor with a session, for tests of whole sessions.

use session_runtime::{Session, SessionHandle, Sessions};
use session_tests::cookies;

#[derive(Session)]
pub(super) struct Visitor {
    pub(super) count: u64,
}

#[derive(Session)]
pub(super) struct Auth {
    #[session(index)]
    pub(super) user: Option<u64>,
}

/// Returns the cookie of a new session.
pub(super) async fn visitor(sessions: &Sessions) -> String {
    let handle = sessions.open([]);
    handle.session::<Visitor>().set_count(1).await.unwrap();
    set_cookie(&handle)
}

pub(super) fn set_cookie(handle: &SessionHandle) -> String {
    handle.finish().set_cookie().expect("a cookie").split(';').next().unwrap().to_owned()
}

pub(super) fn open(sessions: &Sessions, cookie: &str) -> Session<Visitor> {
    sessions.open([cookie.as_bytes()]).session()
}

/// Opens the session of a cookie outside a request.
pub(super) fn open_id(sessions: &Sessions, cookie: &str) -> Session<Visitor> {
    sessions.open_id(&cookies::id_of(cookie).parse().unwrap())
}
