//! The walk that encrypts values again: what happens at the same time, and what stops it.

use std::time::{Duration, Instant};

use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::gated_store::GatedStore;

const OLD: &str = "hex:5f1d0c8a6b7e93f2a4c8d1e07b3f6a9052c4e8d7b1a3f5906e8c2d4b7a9f1e30";
const NEW: &str = "hex:9a7c3e5f1b2d8064c7e9a1f3b5d70826e4c8f0a2b6d19375f8e0c4a6b2d79135";

#[derive(Session)]
struct Profile {
    #[session(encrypt)]
    email: String,
}

fn with_keys(keys: &str) -> SessionConfig {
    SessionConfig::new().secret(SECRET).encryption_keys(keys)
}

fn both_keys() -> String {
    format!("{NEW},{OLD}")
}

async fn begin(store: &MemoryStore, email: &str) -> Session<Profile> {
    let sessions = Sessions::with_store(with_keys(OLD), store.clone()).unwrap();
    let session = sessions.create::<Profile>().await.unwrap();
    session.set_email(email).await.unwrap();
    session
}

/// Returns the session as a program with the new key alone sees it.
fn renewed(store: &MemoryStore, session: &Session<Profile>) -> Session<Profile> {
    let sessions = Sessions::with_store(with_keys(NEW), store.clone()).unwrap();
    sessions.open_id(&session.session_id().unwrap())
}

/// Behaviour: replacement of keys.
#[tokio::test]
async fn a_newer_value_is_never_overwritten() {
    let store = MemoryStore::new();
    let (gated, session) = (GatedStore::new(store.clone()), begin(&store, "old").await);
    let sessions = Sessions::with_store(with_keys(&both_keys()), gated.clone()).unwrap();
    let mut held = gated.hold("modify");
    let walk = tokio::spawn(async move { sessions.reencrypt::<Profile>().run().await.unwrap() });
    held.arrival().await;
    session.set_email("newer").await.unwrap();
    drop(held);
    let done = walk.await.unwrap();
    assert_eq!((done.sessions, done.values, done.unreadable), (1, 0, 0));
    assert_eq!(session.email().await.unwrap(), "newer");
}

/// Behaviour: replacement of keys.
#[tokio::test]
async fn a_session_with_a_new_id_is_followed() {
    let store = MemoryStore::new();
    let (gated, session) = (GatedStore::new(store.clone()), begin(&store, "ada").await);
    let sessions = Sessions::with_store(with_keys(&both_keys()), gated.clone()).unwrap();
    let mut held = gated.hold("modify");
    let walk = tokio::spawn(async move { sessions.reencrypt::<Profile>().run().await.unwrap() });
    held.arrival().await;
    session.rotate().await.unwrap();
    session.rotate().await.unwrap();
    drop(held);
    assert_eq!(walk.await.unwrap().values, 1);
    assert_eq!(renewed(&store, &session).email().await.unwrap(), "ada");
}

/// Behaviour: replacement of keys.
#[tokio::test]
async fn a_walk_goes_on_after_an_error() {
    const VISITORS: usize = 40;
    let (store, mut visitors) = (MemoryStore::new(), Vec::new());
    for visitor in 0..VISITORS {
        visitors.push(begin(&store, &visitor.to_string()).await);
    }
    let failing = FailingStore::new(store.clone());
    let sessions = Sessions::with_store(with_keys(&both_keys()), failing.clone()).unwrap();
    let mut walk = sessions.reencrypt::<Profile>().rate(1_000_000);
    for _ in 0..4 {
        failing.fail_after(8, Failure::Unavailable);
        let before = walk.done().values;
        assert!(walk.run().await.is_err_and(|error| error.is_unavailable()));
        assert!(walk.done().values > before, "each call goes on");
        failing.recover();
    }
    let done = walk.run().await.unwrap();
    assert_eq!((done.sessions, done.values), (VISITORS as u64, VISITORS as u64));
    assert_eq!(walk.run().await.unwrap(), done, "the walk is over");
    for (visitor, session) in visitors.iter().enumerate() {
        assert_eq!(renewed(&store, session).email().await.unwrap(), visitor.to_string());
    }
}

/// Behaviour: replacement of keys.
#[tokio::test]
async fn a_walk_goes_on_after_a_dropped_future() {
    let store = MemoryStore::new();
    let visitors = [begin(&store, "ada").await, begin(&store, "grace").await];
    let gated = GatedStore::new(store.clone());
    let sessions = Sessions::with_store(with_keys(&both_keys()), gated.clone()).unwrap();
    let mut walk = sessions.reencrypt::<Profile>();
    let mut held = gated.hold("modify");
    tokio::select! {
        _ = walk.run() => panic!("the store holds the change"),
        () = held.arrival() => {}
    }
    drop(held);
    assert_eq!(walk.run().await.unwrap().values, 2);
    for (session, email) in visitors.iter().zip(["ada", "grace"]) {
        assert_eq!(renewed(&store, session).email().await.unwrap(), email);
    }
}

/// Behaviour: replacement of keys. A slow machine takes longer, and never less.
#[tokio::test]
async fn a_walk_is_not_faster_than_its_rate() {
    let store = MemoryStore::new();
    for _ in 0..50 {
        begin(&store, "ada").await;
    }
    let sessions = Sessions::with_store(with_keys(&both_keys()), store).unwrap();
    let begun = Instant::now();
    let done = sessions.reencrypt::<Profile>().rate(100).run().await.unwrap();
    assert_eq!(done.values, 50);
    let least = Duration::from_millis(450);
    assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
}
