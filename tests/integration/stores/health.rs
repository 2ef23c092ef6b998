//! `ping` for health checks: fails while writes are refused, and writes nothing.

use std::fs;
use std::time::Duration;

use session_runtime::{Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Cluster;
use session_tests::server::{Make, RedisServer};
use session_tests::{until, wait_for};

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
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
