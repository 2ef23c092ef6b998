//! `ping` and `health` for health checks: they fail while writes are refused, and write nothing.

use std::fs;
use std::time::Duration;

use session_runtime::store::{ConnectionState, NearCacheState};
use session_runtime::testing::{FailingStore, Failure, ManualClock};
use session_runtime::{MemoryStore, NearCache, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Cluster;
use session_tests::server::{Make, RedisServer};
use session_tests::{until, wait_for};

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

#[derive(Debug, Session)]
struct Cached {
    #[session(cached)]
    name: String,
}

#[tokio::test]
async fn full_memory_and_too_few_replicas_fail_the_health_check() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let sessions = connect(&server.url()).await;
        let before = server.cli::<i64>(&["DBSIZE"]);
        sessions.ping().await.unwrap();
        for (setting, stops, goes_on) in
            [("maxmemory", "1", "0"), ("min-replicas-to-write", "1", "0"), ("maxmemory", "1", "0")]
        {
            set(&server, setting, stops);
            let refused = sessions.ping().await.unwrap_err();
            assert_eq!(refused.is_unavailable(), setting != "maxmemory", "{refused:?}");
            sessions.create::<Visitor>().await.unwrap_err();
            set(&server, setting, goes_on);
            sessions.ping().await.unwrap();
        }
        assert_eq!(server.cli::<i64>(&["DBSIZE"]), before);
    }
}

#[tokio::test]
async fn a_failing_disk_fails_the_health_check() {
    let server = RedisServer::start_with(&["--save", "900 1"]);
    let sessions = connect(&server.url()).await;
    sessions.ping().await.unwrap();
    // A directory in place of the file makes every save fail.
    fs::create_dir(server.directory().join("dump.rdb")).unwrap();
    let _: String = server.cli(&["BGSAVE"]);
    wait_for("the failure", || {
        let persistence: String = server.cli(&["INFO", "persistence"]);
        persistence.contains("rdb_last_bgsave_status:err").then_some(())
    });
    assert!(sessions.ping().await.unwrap_err().is_unavailable());
    set(&server, "stop-writes-on-bgsave-error", "no");
    sessions.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_master_of_a_cluster_fails_the_health_check() {
    let cluster = Cluster::start();
    let sessions = connect(&cluster.url()).await;
    sessions.ping().await.unwrap();
    for master in cluster.masters() {
        set(&cluster.nodes()[master], "maxmemory", "1");
        sessions.ping().await.unwrap_err();
        set(&cluster.nodes()[master], "maxmemory", "0");
        sessions.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_pause_of_writes_fails_the_health_check_at_the_deadline() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config.timeout(Duration::from_millis(300))).await.unwrap();
    let _: String = server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    assert!(sessions.ping().await.unwrap_err().is_unavailable());
    let _: String = server.cli(&["CLIENT", "UNPAUSE"]);
    until("the end of the pause", async || sessions.ping().await.is_ok()).await;
}

/// No session waits for the `ping`.
#[tokio::test]
async fn reads_work_while_the_health_check_waits_for_a_pause() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let session = sessions.create::<Visitor>().await.unwrap();
    session.set_count(1).await.unwrap();
    let _: String = server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let asked = tokio::spawn({
        let sessions = sessions.clone();
        async move { sessions.ping().await }
    });
    until("the question", async || is_held_up(&server)).await;
    assert_eq!(session.count().await.unwrap(), 1);
    assert!(!asked.is_finished());
    let _: String = server.cli(&["CLIENT", "UNPAUSE"]);
    asked.await.unwrap().unwrap();
}

#[tokio::test]
async fn health_shows_the_connection_the_clock_and_the_problem() {
    let mut server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config.timeout(Duration::from_secs(1))).await.unwrap();
    let health = sessions.health().await;
    assert!(health.is_ready() && health.problem().is_none(), "{health:?}");
    assert_eq!(health.connection_state(), ConnectionState::Connected);
    assert!(health.clock_difference().is_some() && health.last_sign_of_life().is_some());
    assert_eq!(health.near_cache(), None);
    server.kill();
    until("the loss", async || !sessions.health().await.is_ready()).await;
    let health = sessions.health().await;
    assert!(health.problem().is_some_and(|problem| problem.is_unavailable()));
    assert_ne!(health.connection_state(), ConnectionState::Connected);
    assert!(health.clock_difference().is_none() && health.last_sign_of_life().is_some());
    server.restart();
    until("the server", async || sessions.health().await.is_ready()).await;
    set(&server, "maxmemory", "1");
    let health = sessions.health().await;
    assert!(!health.is_ready() && health.clock_difference().is_some(), "{health:?}");
}

#[tokio::test]
async fn the_last_sign_of_life_is_the_last_answer() {
    let (clock, store) = (ManualClock::default(), FailingStore::new(MemoryStore::new()));
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store.clone()).unwrap().with_clock(&clock);
    store.fail(Failure::Unavailable);
    assert_eq!(sessions.health().await.last_sign_of_life(), None);
    store.recover();
    assert_eq!(sessions.health().await.last_sign_of_life(), Some(Duration::ZERO));
    store.fail(Failure::Unavailable);
    clock.advance(Duration::from_secs(60));
    assert_eq!(sessions.health().await.last_sign_of_life(), Some(Duration::from_secs(60)));
    store.recover();
    sessions.ping().await.unwrap();
    store.fail(Failure::Unavailable);
    assert_eq!(sessions.health().await.last_sign_of_life(), Some(Duration::ZERO));
}

#[tokio::test]
async fn health_shows_a_near_cache_that_the_server_does_not_tell_of_changes() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config.near_cache(NearCache::new())).await.unwrap();
    assert_eq!(sessions.health().await.near_cache(), Some(NearCacheState::Keeping));
    let session = sessions.create::<Cached>().await.unwrap();
    session.set_name("Ada").await.unwrap();
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-client|caching"]);
    until("a read that is not kept", async || {
        let open = sessions.open_id::<Cached>(&session.session_id().unwrap());
        open.name().await.unwrap();
        sessions.health().await.near_cache() == Some(NearCacheState::Untold)
    })
    .await;
}

async fn connect(url: &str) -> Sessions {
    let config = SessionConfig::new().secret(SECRET).store(url).timeout(Duration::from_secs(20));
    Sessions::new(config).await.unwrap()
}

fn set(server: &RedisServer, setting: &str, value: &str) {
    let _: String = server.cli(&["CONFIG", "SET", setting, value]);
}

/// Returns whether a client waits for the end of a pause.
fn is_held_up(server: &RedisServer) -> bool {
    let clients: String = server.cli(&["INFO", "clients"]);
    !clients.contains("blocked_clients:0\r")
}
