//! Encrypted fields while a key is replaced: what happens at the same time, and what is planted.

use std::time::{Duration, Instant};

use session_runtime::store::{
    Change, IndexChange, IndexEntry, IndexKey, IndexedValue, Indexing, LoginGuard, SessionKey,
    SessionStore, Write, WriteMode,
};
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{Lifetime, MemoryStore, Session, SessionConfig, SessionId, Sessions};
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
    assert_eq!((done.sessions, done.values, done.changed), (1, 0, 1));
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
    let again = walk.run().await.unwrap();
    assert_eq!((again.sessions, again.values), (VISITORS as u64, 0), "a new walk");
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
async fn a_walk_is_not_faster_than_its_rate_also_after_a_pause() {
    let store = MemoryStore::new();
    for _ in 0..50 {
        begin(&store, "ada").await;
    }
    let gated = GatedStore::new(store);
    let sessions = Sessions::with_store(with_keys(&both_keys()), gated.clone()).unwrap();
    let mut held = gated.hold("modify");
    let walk = tokio::spawn(async move { sessions.reencrypt::<Profile>().rate(100).run().await });
    held.arrival().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    drop(held);
    assert_eq!(walk.await.unwrap().unwrap().values, 50);
    assert!(begun.elapsed() >= Duration::from_millis(450), "{:?}", begun.elapsed());
}

/// Behaviour: replacement of keys.
#[test]
fn a_walk_needs_no_runtime() {
    let store = MemoryStore::new();
    pollster::block_on(async {
        begin(&store, "ada").await;
        begin(&store, "grace").await;
        let sessions = Sessions::with_store(with_keys(&both_keys()), store).unwrap();
        let done = sessions.reencrypt::<Profile>().rate(20).run().await.unwrap();
        assert_eq!(done.values, 2);
    });
}

/// The same session with an indexed user, and as a module without the index sees it.
#[derive(Session)]
#[session(fields = "AuthFields")]
struct Auth {
    #[session(encrypt, index)]
    user: Option<u64>,
    #[session(encrypt)]
    email: Option<String>,
}

#[derive(Session)]
#[session(fields = "OtherFields")]
struct Other {
    #[session(encrypt)]
    user: Option<u64>,
}

async fn sign_in(sessions: &Sessions, user: u64) -> Session<Auth> {
    let session = sessions.create::<Auth>().await.unwrap();
    session.set_user(user).await.unwrap();
    session
}

/// Behaviour: encrypted users.
#[tokio::test]
async fn a_schema_without_the_index_leaves_users_findable() {
    let store = MemoryStore::new();
    let on = |keys: &str| Sessions::with_store(with_keys(keys), store.clone()).unwrap();
    let (old, both) = (on(OLD), on(&both_keys()));
    sign_in(&old, 7).await;
    sign_in(&both, 7).await;
    let done = both.reencrypt::<Other>().run().await.unwrap();
    assert_eq!((done.values, done.indexed_elsewhere), (0, 1));
    assert_eq!(both.find(Auth::by_user(7)).count().await.unwrap(), 2);
    assert_eq!(both.reencrypt::<Auth>().run().await.unwrap().values, 1);
    let done = both.reencrypt::<Other>().run().await.unwrap();
    assert_eq!((done.values, done.indexed_elsewhere), (0, 0));
    assert_eq!(on(NEW).find(Auth::by_user(7)).end_all().await.unwrap(), 2);
}

/// Behaviour: encrypted users. While step 2 of a replacement is rolled out, two machines take
/// another key for the newest.
#[tokio::test]
async fn a_session_that_moves_between_lists_is_found_in_both_directions() {
    for looks_with in [format!("{OLD},{NEW}"), format!("{NEW},{OLD}")] {
        let store = MemoryStore::new();
        let gated = GatedStore::new(store.clone());
        let moving = Sessions::with_store(with_keys(&both_keys()), store.clone()).unwrap();
        let old = Sessions::with_store(with_keys(OLD), store).unwrap();
        let looking = Sessions::with_store(with_keys(&looks_with), gated.clone()).unwrap();
        for ends_all in [false, true] {
            sign_in(&old, 7).await;
            sign_in(&moving, 7).await;
            let mut first = gated.hold("entries");
            let sessions = looking.clone();
            let ended = tokio::spawn(async move {
                let found = sessions.find(Auth::by_user(7));
                if ends_all { found.end_all().await } else { found.keep_newest(2).await }
            });
            first.arrival().await;
            let mut second = gated.hold("entries");
            drop(first);
            second.arrival().await;
            moving.reencrypt::<Auth>().run().await.unwrap();
            drop(second);
            assert_eq!(ended.await.unwrap().unwrap(), if ends_all { 4 } else { 0 });
        }
        assert_eq!(moving.find(Auth::by_user(7)).count().await.unwrap(), 0);
    }
}

/// Behaviour: encrypted users. Ids in lists are not signed.
#[tokio::test]
async fn a_planted_session_with_the_tag_of_another_is_not_listed() {
    let store = MemoryStore::new();
    let sessions = Sessions::with_store(with_keys(OLD), store.clone()).unwrap();
    let (victim, own) = (sign_in(&sessions, 1).await, sign_in(&sessions, 2).await);
    victim.set_email("ada@example.org".to_owned()).await.unwrap();
    let user = own.user().raw().await.unwrap().unwrap();
    let email = victim.email().raw().await.unwrap().unwrap();
    let id = victim.session_id().unwrap().expose_secret().to_owned();
    let planted: SessionId = format!("{}AAAA", &id[..id.len() - 4]).parse().unwrap();
    let changes = [("user", user.clone()), ("email", email)].map(|(field, value)| Change::Set {
        field,
        value,
        ttl: None,
    });
    let key = IndexKey::new("app", "user", &user[..21]);
    let entry = IndexEntry { key, value: IndexedValue::exact(user), guard: LoginGuard::default() };
    let indexed = [IndexChange { index: "user", field: "user", entry: Some(entry) }];
    let hour = Duration::from_secs(3600);
    let index = Indexing { session: &planted, deadline_in: hour, changes: &indexed };
    let mode = WriteMode::Create;
    let write = Write { mode, changes: &changes, expires_in: hour, index: Some(index) };
    let session_key = SessionKey::new("app", &planted);
    SessionStore::write(&store, &session_key, write).await.unwrap();

    let mine = sessions.find(Auth::by_user(2));
    let list = mine.list_as::<Auth>().await.unwrap();
    assert_eq!((list.len(), list[0].tag()), (1, own.session_id().unwrap().tag()));
    assert_eq!(mine.end_all().await.unwrap(), 2, "it ends all the same");
}

/// Behaviour: size limits.
#[tokio::test]
async fn the_encrypted_size_counts_before_anything_is_planned() {
    for (length, fits) in [(1024 - 46, true), (1024 - 45, false), (2000, false)] {
        let config = with_keys(OLD).max_value_size(1024).store("memory:");
        let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
        let handle = sessions.open([]);
        let session: Session<Auth> = handle.session();
        session.set_user(7).await.unwrap();
        let login = session.write().set(session.email(), "x".repeat(length));
        let written = login.renew(Lifetime::normal()).commit().await;
        assert_eq!(written.is_ok(), fits, "{length}");
        assert!(written.is_ok() || written.is_err_and(|error| error.is_too_large()));
        assert!(handle.finish().set_cookie().is_some(), "the session keeps its cookie");
        let replaced = session.email().replace("x".repeat(length)).await;
        assert_eq!(replaced.is_ok(), fits, "{length}");
    }
}

#[derive(Session)]
#[session(on_decode_error = "default", fields = "LenientFields")]
struct Lenient {
    #[session(encrypt)]
    email: String,
}

/// Behaviour: keys of encrypted fields. The default in place of a value would be written back.
#[tokio::test]
async fn an_update_without_the_key_destroys_nothing() {
    let store = MemoryStore::new();
    let session = begin(&store, "ada").await;
    let sessions = Sessions::with_store(with_keys(NEW), store).unwrap();
    let lenient = sessions.open_id::<Lenient>(&session.session_id().unwrap());
    assert!(lenient.email().await.is_err_and(|error| error.is_decode()));
    let updated = lenient.email().update(|email| email + "!").await;
    assert!(updated.is_err_and(|error| error.is_decode()));
    assert_eq!(session.email().await.unwrap(), "ada");
}
