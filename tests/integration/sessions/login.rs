//! Errors of batches that also give the session a new id, and dropped ones.

use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{
    Error, Lifetime, MemoryStore, Session, SessionConfig, SessionHandle, Sessions,
};
use session_tests::cookies::SECRET;

#[derive(Session)]
struct Auth {
    user: Option<u64>,
    theme: String,
}

fn sessions() -> Sessions {
    Sessions::with_store(SessionConfig::new().secret(SECRET), MemoryStore::new()).unwrap()
}

async fn signed_in(sessions: &Sessions) -> SessionHandle {
    let handle = sessions.open([]);
    let session: Session<Auth> = handle.session();
    session.set_user(1).await.unwrap();
    let cookie = handle.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned();
    sessions.open([cookie.as_bytes()])
}

async fn login(session: &Session<Auth>) -> Result<(), Error> {
    let batch = session.write().set(session.user(), 42).keep_only((session.theme(),));
    batch.renew(Lifetime::normal()).commit().await
}

/// The session is as before, and the response sets no cookie.
async fn assert_unchanged(handle: &SessionHandle) {
    let session: Session<Auth> = handle.session();
    assert_eq!(session.user().await.unwrap(), Some(1));
    assert!(handle.finish().set_cookie().is_none());
}

#[tokio::test]
async fn after_the_headers_a_batch_gives_no_new_id() {
    let sessions = sessions();
    let handle = signed_in(&sessions).await;
    let session: Session<Auth> = handle.session();
    let _ = handle.finish();
    assert!(login(&session).await.unwrap_err().is_headers_sent());
    assert_unchanged(&handle).await;
}

#[tokio::test]
async fn mistakes_are_errors_and_change_nothing() {
    let sessions = sessions();
    let handle = signed_in(&sessions).await;
    let session: Session<Auth> = handle.session();
    let other = signed_in(&sessions).await.session::<Auth>();
    let unconfigured = Lifetime::normal().idle(std::time::Duration::from_secs(7));
    let large = "x".repeat(2 << 20);
    let batch = || session.write().set(session.user(), 42);
    let unsupported = [
        batch().keep_only((session.theme(),)).commit().await,
        batch().keep_only((other.theme(),)).rotate().commit().await,
        batch().set(other.user(), 43).rotate().commit().await,
    ];
    for outcome in unsupported {
        assert!(outcome.unwrap_err().is_unsupported());
    }
    assert!(batch().renew(unconfigured).commit().await.unwrap_err().is_config());
    let outcome = batch().set(session.theme(), large).rotate().commit().await;
    assert!(outcome.unwrap_err().is_too_large());
    assert_unchanged(&handle).await;
}

/// The store carries the login out, but the reply is lost.
async fn lost_login() -> (Sessions, SessionHandle) {
    let store = FailingStore::new(MemoryStore::new());
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    let handle = signed_in(&sessions).await;
    store.fail(Failure::OutcomeUnknown { carried_out: true });
    assert!(login(&handle.session()).await.unwrap_err().is_outcome_unknown());
    store.recover();
    (sessions, handle)
}

#[tokio::test]
async fn an_unknown_outcome_sends_no_cookie() {
    let (_, handle) = lost_login().await;
    assert!(handle.finish().set_cookie().is_none());
}

#[tokio::test]
async fn a_second_login_after_a_lost_reply_has_its_own_values() {
    let (sessions, handle) = lost_login().await;
    let session: Session<Auth> = handle.session();
    session.write().set(session.user(), 43).renew(Lifetime::normal()).commit().await.unwrap();
    let cookie = handle.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned();
    let user = sessions.open([cookie.as_bytes()]).session::<Auth>().user().await.unwrap();
    assert_eq!(user, Some(43));
}

#[tokio::test]
async fn a_batch_that_is_not_awaited_does_nothing() {
    let sessions = sessions();
    let handle = signed_in(&sessions).await;
    let session: Session<Auth> = handle.session();
    let batch = session.write().set(session.user(), 42).rotate();
    drop(batch.commit());
    assert_unchanged(&handle).await;
}
