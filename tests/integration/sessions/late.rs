//! Sessions that are first accessed after the response headers were sent.

use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::log::logged;

const WARNING: &str = "first used after the response headers were sent";

#[derive(Session)]
struct Visitor {
    count: u64,
}

fn sessions() -> Sessions {
    Sessions::with_store(SessionConfig::new().secret(SECRET), MemoryStore::new()).unwrap()
}

async fn cookie(sessions: &Sessions) -> String {
    let handle = sessions.open([]);
    handle.session::<Visitor>().set_count(7).await.unwrap();
    handle.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_late_first_use_warns_once_and_works() {
    let sessions = sessions();
    let cookie = cookie(&sessions).await;
    let (log, _guard) = logged();
    let handle = sessions.open([cookie.as_bytes()]);
    let session: Session<Visitor> = handle.session();
    assert_eq!(handle.finish().pairs([]).len(), 2, "Vary and Cache-Control");
    assert!(!log.text().contains(WARNING));
    assert_eq!((session.count().await.unwrap(), session.count().await.unwrap()), (7, 7));
    assert_eq!(log.text().matches(WARNING).count(), 1);
}

#[tokio::test]
async fn an_earlier_use_does_not_warn() {
    let sessions = sessions();
    let cookie = cookie(&sessions).await;
    let (log, _guard) = logged();
    let handle = sessions.open([cookie.as_bytes()]);
    let session: Session<Visitor> = handle.session();
    session.session_id().unwrap();
    let _ = handle.finish();
    assert_eq!(session.count().await.unwrap(), 7);
    assert!(!log.text().contains(WARNING));
}

#[tokio::test]
async fn an_unused_session_does_not_warn() {
    let sessions = sessions();
    let cookie = cookie(&sessions).await;
    let handle = sessions.open([cookie.as_bytes()]);
    drop(handle.session::<Visitor>());
    assert!(handle.finish().pairs([]).is_empty());
    let held = handle.clone();
    assert_eq!(handle.finish().pairs([]).len(), 2);
    drop(held);
}
