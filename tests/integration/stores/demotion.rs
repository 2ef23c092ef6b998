//! A master that becomes a replica and keeps its connections. The store never serves data from a
//! replica, for any kind of operation.

use std::time::Duration;

use session_runtime::store::{
    Action, Lookup, Modify, Refresh, SessionKey, SessionStore, StoreError, WriteMode,
};
use session_runtime::{RedisStore, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::{self, SECRET};
use session_tests::log::Log;
use session_tests::server::RedisServer;
use session_tests::store_suite::{create, fresh_key, logout, set, try_write};
use session_tests::until;
use tracing::instrument::WithSubscriber as _;

const TIMEOUT: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A refresh that is never due, because the expiry is far away.
const AMPLE: Refresh = Refresh::Below { below: Duration::from_secs(1), expires_in: DAY };

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

/// Operations that a replica answers like a master, including scripts that find nothing to write.
#[derive(Debug, Clone, Copy)]
enum Asks {
    Field,
    FieldAndTimeLeft,
    Several,
    All,
    Presence,
    TimeLeft,
    FieldTimeLeft,
    Time,
    ScriptThatFindsAnother,
    ScriptThatFindsNothing,
}

#[tokio::test]
async fn read_only_requests_notice_a_demotion() {
    use Asks::*;
    let server = RedisServer::start();
    let store = connect(&server, 1).await;
    let key = session(&store, fresh_key()).await;
    for asks in [
        Field,
        FieldAndTimeLeft,
        Several,
        All,
        Presence,
        TimeLeft,
        FieldTimeLeft,
        Time,
        ScriptThatFindsAnother,
        ScriptThatFindsNothing,
    ] {
        promote(&server);
        until("the master", async || ask(&store, &key, asks).await.is_ok()).await;
        demote(&server);
        until(&format!("{asks:?} to be refused"), async || ask(&store, &key, asks).await.is_err())
            .await;
        let refused = ask(&store, &key, asks).await.unwrap_err();
        assert!(refused.is_unavailable() && !refused.is_outcome_unknown(), "{asks:?}: {refused:?}");
    }
}

/// All connections notice at once, not after a second. The refused write used only one of eight.
#[tokio::test]
async fn one_refusal_ends_all_connections() {
    let server = RedisServer::start();
    let store = connect(&server, 8).await;
    let mut keys = Vec::new();
    for _ in 0..32 {
        keys.push(session(&store, key_of_its_own()).await);
    }
    for round in 0..3 {
        promote(&server);
        for key in &keys {
            until("the master", async || store.get(key, "a", AMPLE).await.is_ok()).await;
        }
        demote(&server);
        assert!(
            try_write(&store, &keys[round], &[set("a", "2")]).await.unwrap_err().is_unavailable()
        );
        for key in &keys {
            assert!(store.get(key, "a", Refresh::No).await.unwrap_err().is_unavailable());
        }
    }
}

#[tokio::test]
async fn one_refusal_ends_the_connections_of_other_runtimes_too() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url()).timeout(TIMEOUT);
    let sessions = Sessions::new(config.refresh_below(0.5)).await.unwrap();
    let id = sessions.create::<Visitor>().await.unwrap().session_id().unwrap();
    let own = sessions.for_current_runtime();
    let (here, there) = (own.open_id::<Visitor>(&id), sessions.open_id::<Visitor>(&id));
    assert_eq!((here.count().await.unwrap(), there.count().await.unwrap()), (0, 0));
    demote(&server);
    assert!(here.set_count(1).await.unwrap_err().is_unavailable());
    assert!(there.count().await.unwrap_err().is_unavailable());
    assert!(own.open_id::<Visitor>(&id).count().await.unwrap_err().is_unavailable());
}

/// The background refresh detects the change. From then on, no connection answers a read.
#[tokio::test]
async fn a_refused_refresh_ends_the_connections_of_reads() {
    let server = RedisServer::start();
    let store = connect(&server, 4).await;
    let key = session(&store, fresh_key()).await;
    demote(&server);
    let due = Refresh::Below { below: DAY, expires_in: DAY };
    until("the refusal", async || store.get(&key, "a", due).await.is_err()).await;
    for _ in 0..32 {
        let read = store.get(&key_of_its_own(), "a", Refresh::No).await;
        assert!(read.unwrap_err().is_unavailable());
    }
}

#[tokio::test]
async fn long_lived_handles_and_health_checks_notice_a_demotion() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url()).timeout(TIMEOUT);
    let sessions = Sessions::new(config.refresh_below(0.5)).await.unwrap();
    let session = sessions.create::<Visitor>().await.unwrap();
    session.set_count(1).await.unwrap();
    demote(&server);
    until("a read to be refused", async || session.count().await.is_err()).await;
    promote(&server);
    until("the master", async || session.count().await.is_ok()).await;
    demote(&server);
    until("a question to be refused", async || session.expires_in().await.is_err()).await;
    promote(&server);
    until("the master", async || sessions.ping().await.is_ok()).await;
    demote(&server);
    until("a sign of life to be refused", async || sessions.ping().await.is_err()).await;
    assert_ne!(sessions.connection_state().to_string(), "connected");
    promote(&server);
    until("the master", async || sessions.ping().await.is_ok()).await;
    assert_eq!(session.count().await.unwrap(), 1);
}

/// A read asks for the role only if a second has passed.
#[tokio::test]
async fn reads_side_by_side_ask_for_the_role_seldom() {
    let server = RedisServer::start();
    let store = connect(&server, 1).await;
    let key = session(&store, fresh_key()).await;
    let before = hellos(&server);
    let begun = std::time::Instant::now();
    for _ in 0..2_000 {
        assert_eq!(store.get(&key, "a", AMPLE).await.unwrap(), Lookup::Found(Some("1".into())));
    }
    let asked = hellos(&server) - before;
    // The test's own connection adds another `HELLO`.
    assert!(asked <= begun.elapsed().as_secs() + 2, "{asked}");
    let before = hellos(&server);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for _ in 0..10 {
        store.get(&key, "a", Refresh::To(DAY)).await.unwrap();
    }
    assert!(hellos(&server) - before <= 1, "a read that refreshes tells by itself");
}

#[tokio::test]
async fn repeated_refresh_failures_are_logged_once() {
    let server = RedisServer::start();
    let store = connect(&server, 1).await;
    let key = session(&store, fresh_key()).await;
    let _: String = server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let due = Refresh::Below { below: DAY * 2, expires_in: DAY * 2 };
    async {
        for refresh in [Refresh::To(DAY), due] {
            for _ in 0..100 {
                assert_eq!(
                    store.get(&key, "a", refresh).await.unwrap(),
                    Lookup::Found(Some("1".into()))
                );
            }
        }
        until("a line", async || !log.text().is_empty()).await;
    }
    .with_subscriber(subscriber)
    .await;
    let text = log.text();
    assert_eq!(text.matches("expiry was not refreshed").count(), 1, "{text}");
}

async fn connect(server: &RedisServer, connections: usize) -> RedisStore {
    let builder = RedisStore::builder(&server.url()).timeout(TIMEOUT).connections(connections);
    builder.connect().await.unwrap()
}

async fn session(store: &RedisStore, key: SessionKey) -> SessionKey {
    create(store, &key, &[set("a", "1")]).await;
    key
}

/// Returns a key with a separate tag, which decides on the connection among several.
fn key_of_its_own() -> SessionKey {
    let id = cookies::id(std::time::SystemTime::now(), 0);
    SessionKey::new("test", &SessionId::parse(&id).unwrap())
}

/// The server keeps its connections, and the new master never replies.
fn demote(server: &RedisServer) {
    let _: String = server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
}

fn promote(server: &RedisServer) {
    let _: String = server.cli(&["REPLICAOF", "NO", "ONE"]);
}

fn hellos(server: &RedisServer) -> u64 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    let calls = info.lines().find_map(|line| line.strip_prefix("cmdstat_hello:calls="));
    calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
}

async fn ask(store: &RedisStore, key: &SessionKey, asks: Asks) -> Result<(), StoreError> {
    match asks {
        Asks::Field => store.get(key, "a", Refresh::No).await.map(drop),
        Asks::FieldAndTimeLeft => store.get(key, "a", AMPLE).await.map(drop),
        Asks::Several => store.get_many(key, &["a", "b"], Refresh::No).await.map(drop),
        Asks::All => store.get_all(key, "a", Refresh::No).await.map(drop),
        Asks::Presence => store.contains(key, "a", Refresh::No).await.map(drop),
        Asks::TimeLeft => store.expires_in(key).await.map(drop),
        Asks::FieldTimeLeft => store.field_expires_in(key, "a").await.map(drop),
        Asks::Time => store.time().await.map(drop),
        Asks::ScriptThatFindsAnother => {
            let action = Action::CompareAndSet {
                expected: Some("another".into()),
                or_missing: false,
                value: Some("2".into()),
            };
            let (mode, field) = (WriteMode::Existing, "a");
            let modify = Modify {
                mode,
                field,
                alias: None,
                action,
                ttl: None,
                expires_in: DAY,
                index: None,
                keeps_times: false,
            };
            store.modify(key, modify).await.map(drop)
        }
        Asks::ScriptThatFindsNothing => store.destroy(&fresh_key(), logout(DAY)).await.map(drop),
    }
}
