//! Errors and warnings at the start, and the start without a server. Behaviour: start-up checks.

use std::time::{Duration, SystemTime};

use session_runtime::store::ConnectionState;
use session_runtime::testing::ManualClock;
use session_runtime::{
    EndReason, Error, Lifetime, MemoryStore, RedisStore, Session, SessionConfig, Sessions,
};
use session_tests::cookies::SECRET;
use session_tests::log::logged;
use session_tests::server::{Make, RedisServer};
use session_tests::until;
use tokio::time::timeout;

const GUIDE: &str = include_str!("../../../session-runtime/src/guide/deployment.md");
const PASSWORD: &str = "password";

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
    name: String,
    ratio: f64,
}

#[derive(Debug, Session)]
struct WithExpiry {
    #[session(ttl = "5m")]
    code: String,
}

#[tokio::test]
async fn a_user_with_the_documented_permissions_can_do_everything() {
    let server = RedisServer::start();
    let sessions = Sessions::new(config(&restricted(&server))).await.unwrap();
    use_everything(&sessions).await;
}

#[tokio::test]
async fn a_user_with_the_documented_permissions_can_expire_fields() {
    let Some(server) = RedisServer::start_make(Make::Valkey9) else { return };
    // A program without such fields needs no further permission.
    let sessions = Sessions::new(config(&restricted(&server))).await.unwrap();
    use_everything(&sessions).await;
    let session = sessions.create::<WithExpiry>().await.unwrap();
    let lacks = session.set_code("123").await.unwrap_err();
    assert!(lacks.to_string().contains("NOPERM"), "{lacks}");
    assert!(GUIDE.contains("`+hpexpire +hpttl`"));
    let _: String = server.cli(&["ACL", "SETUSER", "sessions", "+hpexpire", "+hpttl"]);
    session.set_code("123").await.unwrap();
    assert!(session.code().expires_in().await.unwrap().is_some());
}

#[tokio::test]
async fn a_user_with_the_documented_permissions_is_told_of_ends() {
    let server = RedisServer::start();
    let url = restricted(&server);
    let (log, _guard) = logged();
    Sessions::new(config(&url)).await.unwrap();
    assert!(log.text().contains("+client|tracking +client|caching"), "{}", log.text());
    assert!(GUIDE.contains("`+client|tracking +client|caching`"));
    let _: String =
        server.cli(&["ACL", "SETUSER", "sessions", "+client|tracking", "+client|caching"]);
    let (log, _guard) = logged();
    // Only news comes before the test gives up.
    let config = config(&url).end_check_interval(Duration::from_secs(60 * 60));
    let sessions = Sessions::new(config).await.unwrap();
    assert!(!log.text().contains("WARN"), "{}", log.text());
    let session = sessions.create::<Visitor>().await.unwrap();
    let ended = tokio::spawn(session.ended());
    until("the look at the session", async || {
        server.cli::<String>(&["INFO", "stats"]).contains("tracking_total_keys:1")
    })
    .await;
    let id = session.session_id().unwrap();
    sessions.open_id::<Visitor>(&id).destroy().await.unwrap();
    let reason = timeout(Duration::from_secs(20), ended).await.expect("the end is told");
    assert_eq!(reason.unwrap(), EndReason::EndedElsewhere);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let server = RedisServer::start();
    let url = restricted(&server);
    let permissions: Vec<_> = acl().into_iter().filter(|word| word.starts_with('+')).collect();
    assert!(permissions.len() > 10);
    for permission in permissions {
        let taken = permission.replacen('+', "-", 1);
        let _: String = server.cli(&["ACL", "SETUSER", "sessions", &taken]);
        let error = Sessions::new(config(&url)).await.unwrap_err();
        assert!(
            error.is_config() && error.to_string().ends_with(&format!(": {permission}")),
            "{error}"
        );
        let _: String = server.cli(&["ACL", "SETUSER", "sessions", permission]);
    }
}

#[tokio::test]
async fn keys_that_may_not_be_accessed_are_named() {
    let server = RedisServer::start();
    let url = restricted(&server);
    let error = Sessions::new(config(&url).prefix("other")).await.unwrap_err();
    assert!(error.is_config() && error.to_string().ends_with("~other:sessions:*"), "{error}");
}

#[tokio::test]
async fn the_probe_leaves_no_lasting_key() {
    let server = RedisServer::start();
    Sessions::new(config(&server.url())).await.unwrap();
    for key in server.cli::<Vec<String>>(&["KEYS", "*"]) {
        assert_eq!(server.cli::<String>(&["TYPE", &key]), "string", "a tombstone at most");
        assert!((1..=10_000).contains(&server.cli::<i64>(&["PTTL", &key])));
    }
}

#[tokio::test]
async fn a_server_without_room_for_a_session_is_an_error() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction", "--maxmemory", "1"]);
    let error = Sessions::new(config(&server.url())).await.unwrap_err();
    assert!(!error.is_unavailable() && error.to_string().contains("OOM"), "{error}");
}

#[tokio::test]
async fn a_replica_is_an_error() {
    let master = RedisServer::start();
    let replica =
        RedisServer::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let error = Sessions::new(config(&replica.url())).await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains("is a replica"), "{error}");
}

/// Both clocks are almost as far from the store's as the start allows, in opposite directions.
#[tokio::test]
async fn machines_with_accepted_clocks_accept_each_others_sessions() {
    let server = RedisServer::start();
    let (ahead, behind) = (machine(&server, 130).await, machine(&server, -130).await);
    for (here, there) in [(&ahead, &behind), (&behind, &ahead)] {
        here.check().await.unwrap();
        let session = here.create::<Visitor>().await.unwrap();
        session.set_count(7).await.unwrap();
        let id = session.session_id().unwrap();
        assert_eq!(there.open_id::<Visitor>(&id).count().await.unwrap(), 7);
    }
}

#[tokio::test]
async fn clocks_that_are_far_apart_are_an_error() {
    let server = RedisServer::start();
    for seconds in [290, -290, 170, -155, 3_600, 200_000_000] {
        let error = machine(&server, seconds).await.check().await.unwrap_err();
        assert!(error.is_config() && error.to_string().contains("clock"), "{seconds}: {error}");
        assert!(error.to_string().contains("at most 150"), "{error}");
    }
    // The time of this store is in 2033.
    let store = MemoryStore::with_clock(&ManualClock::default());
    let sessions = Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap();
    assert!(sessions.check().await.unwrap_err().is_config());
}

/// Returns a manager whose clock is this many seconds ahead of the store's.
async fn machine(server: &RedisServer, ahead: i64) -> Sessions {
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let clock = ManualClock::new(moved(SystemTime::now(), ahead));
    Sessions::with_store(config(&server.url()), store).unwrap().with_clock(&clock)
}

fn moved(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time - by } else { time + by }
}

#[tokio::test]
async fn an_unreachable_server_is_an_error_unless_connecting_is_lazy() {
    let mut server = RedisServer::start();
    let config = || config(&server.url()).timeout(Duration::from_millis(300));
    let (strict, lazy) = (config(), config().connect_lazily(true));
    server.kill();
    let error = Sessions::new(strict).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("SESSION_REDIS"), "{error}");

    let sessions = Sessions::new(lazy).await.unwrap();
    assert!(sessions.ping().await.unwrap_err().is_unavailable());
    assert!(sessions.create::<Visitor>().await.unwrap_err().is_unavailable());
    assert_eq!(sessions.connection_state(), ConnectionState::Disconnected);
    server.restart();
    until("the server", async || sessions.ping().await.is_ok()).await;
    assert_eq!(sessions.connection_state(), ConnectionState::Connected);
    use_everything(&sessions).await;
}

#[tokio::test]
async fn a_lazy_store_connects_when_it_is_used() {
    let server = RedisServer::start();
    let sessions = Sessions::new(config(&server.url()).connect_lazily(true)).await.unwrap();
    use_everything(&sessions).await;
}

#[tokio::test]
async fn the_state_of_the_connection_follows_the_server() {
    let mut server = RedisServer::start();
    let sessions = Sessions::new(config(&server.url())).await.unwrap();
    assert_eq!(sessions.connection_state(), ConnectionState::Connected);
    server.kill();
    until("the loss", async || {
        sessions.ping().await.is_err()
            && sessions.connection_state() == ConnectionState::Disconnected
    })
    .await;
    server.restart();
    until("the server", async || sessions.ping().await.is_ok()).await;
    assert_eq!(sessions.connection_state(), ConnectionState::Connected);
    let memory = Sessions::new(SessionConfig::new().store("memory:")).await.unwrap();
    assert_eq!(memory.connection_state(), ConnectionState::Connected);
    memory.ping().await.unwrap();
}

#[tokio::test]
async fn several_connections_serve_as_one() {
    let server = RedisServer::start();
    let sessions = Sessions::new(config(&format!("{}?connections=4", server.url()))).await.unwrap();
    assert_eq!(server.clients(), 4);
    for _ in 0..20 {
        use_everything(&sessions).await;
    }
    let error =
        Sessions::new(config(&format!("{}?connections=0", server.url()))).await.unwrap_err();
    assert!(error.is_config(), "{error}");
}

fn config(url: &str) -> SessionConfig {
    SessionConfig::new().store(url).secret(SECRET)
}

/// Creates the user from the guide and returns the URL for this user.
fn restricted(server: &RedisServer) -> String {
    let _: String = server.cli(&acl());
    format!("redis://sessions:{PASSWORD}@127.0.0.1:{}", server.port())
}

/// Returns the command from the guide. The tests are compiled with a feature that needs a
/// permission more.
fn acl() -> Vec<&'static str> {
    let line = GUIDE.lines().find(|line| line.starts_with("ACL SETUSER")).unwrap();
    assert!(GUIDE.contains("also need `+hscan`"));
    line.split(' ').chain(["+hscan"]).collect()
}

/// Runs every operation that sends commands to the server.
async fn use_everything(sessions: &Sessions) {
    let run = async || -> Result<(), Error> {
        let session = sessions.create::<Visitor>().await?;
        session.set_count(1).await?;
        assert_eq!(session.count().incr(1).await?, 2);
        assert_eq!(session.ratio().incr(0.5).await?, 0.5);
        session.name().replace("x").await?;
        session.name().compare_and_set("x", "y").await?;
        session.count().update(|count| count + 1).await?;
        session.read((session.count(), session.name())).await?;
        session.write().set(session.count(), 3).remove(session.name()).commit().await?;
        session.name().exists().await?;
        session.load().await?;
        session.touch().await?;
        session.expires_in().await?;
        session.rotate().await?;
        session.renew(Lifetime::remembered()).await?;
        session.write().keep_only((session.count(),)).rotate().commit().await?;
        let id = session.session_id().unwrap();
        let again = sessions.open_id::<Visitor>(&id);
        assert_eq!(again.count().await?, 3);
        session.clear().await?;
        session.destroy().await?;
        assert!(!sessions.open_id::<Visitor>(&id).exists().await?);
        sessions.ping().await
    };
    run().await.unwrap();
}
