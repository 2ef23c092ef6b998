//! Separate connections for a single-threaded runtime.

use std::thread;
use std::time::Duration;

use session_runtime::store::ConnectionState;
use session_runtime::{Error, MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::{Cluster, Deployment, Sentinel};
use session_tests::server::RedisServer;
use session_tests::until;

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

#[derive(Debug, Session)]
struct Expiring {
    #[session(ttl = "5m")]
    code: String,
}

#[tokio::test]
async fn handles_of_one_runtime_share_a_connection_until_the_last_is_dropped() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let session = sessions.create::<Visitor>().await.unwrap();
    assert_eq!(server.clients(), 1);

    let (own, again) = (sessions.for_current_runtime(), sessions.for_current_runtime());
    until("a connection", async || server.clients() == 2).await;
    for manager in [&own, &again, &own.for_current_runtime()] {
        let same = manager.open_id::<Visitor>(&session.session_id().unwrap());
        same.count().incr(1).await.unwrap();
    }
    assert_eq!(session.count().await.unwrap(), 3);
    assert_eq!(server.clients(), 2);

    drop(own);
    count(&again).await.unwrap();
    drop(again);
    until("the end of the connection", async || server.clients() == 1).await;
}

#[tokio::test]
async fn each_thread_has_its_own_connection() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let own = sessions.for_current_runtime();
    count(&own).await.unwrap();
    on_another_thread(|| async {
        let theirs = sessions.for_current_runtime();
        count(&theirs).await.unwrap();
        until("two connections", async || server.clients() == 3).await;
    });
    until("the end of the other's", async || server.clients() == 2).await;
    count(&own).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_of_one_runtime_share_connections() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    count(&sessions.for_current_runtime()).await.unwrap();
    thread::scope(|scope| scope.spawn(|| sessions.for_current_runtime()).join().unwrap());
    assert_eq!(server.clients(), 1);
}

#[tokio::test]
async fn memory_is_shared_by_all_runtimes() {
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    let id = sessions.create::<Visitor>().await.unwrap().session_id().unwrap();
    assert!(sessions.for_current_runtime().open_id::<Visitor>(&id).exists().await.unwrap());
}

#[tokio::test]
async fn the_state_describes_the_connections_in_use() {
    let mut server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let own = sessions.for_current_runtime();
    until("a connection", async || sessions.connection_state() == ConnectionState::Connected).await;
    server.kill();
    until("the loss", async || {
        assert!(count(&own).await.unwrap_err().is_unavailable());
        sessions.connection_state() == ConnectionState::Disconnected
    })
    .await;
    until("the other's loss", async || count(&sessions).await.is_err()).await;
    server.restart();
    until("the server", async || count(&own).await.is_ok()).await;
    until("the state", async || sessions.connection_state() == ConnectionState::Connected).await;

    // After the idle connection is lost, another connection is used.
    let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    until("another connection", async || count(&own).await.is_ok()).await;
    assert_eq!(sessions.connection_state(), ConnectionState::Connected);
}

#[tokio::test]
async fn an_unavailable_server_is_waited_for() {
    let mut server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    server.kill();
    let own = sessions.for_current_runtime();
    until("a failure", async || sessions.connection_state() == ConnectionState::Disconnected).await;
    until("an error", async || count(&own).await.is_err_and(|error| error.is_unavailable())).await;
    server.restart();
    until("its connection", async || server.clients() == 1).await;
    until("the server", async || count(&own).await.is_ok()).await;
}

#[tokio::test]
async fn behind_sentinels_and_on_a_cluster() {
    for servers in [Deployment::Sentinel(Sentinel::start()), Deployment::Cluster(Cluster::start())]
    {
        let sessions = connect(&servers.url()).await;
        let clients = || servers.masters().iter().map(|master| master.clients()).sum::<usize>();
        let before = clients();
        let own = sessions.for_current_runtime();
        until("a connection to each master", async || {
            clients() == before + servers.masters().len()
        })
        .await;
        for _ in 0..20 {
            count(&own).await.unwrap();
        }
        assert_eq!(clients(), before + servers.masters().len());
    }
}

#[tokio::test]
async fn a_blocking_thread_uses_its_runtime() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let own = sessions.for_current_runtime();
    count(&own).await.unwrap();
    let shared = sessions.clone();
    let there = tokio::task::spawn_blocking(move || shared.for_current_runtime()).await.unwrap();
    count(&there).await.unwrap();
    assert_eq!(server.clients(), 2);
}

#[tokio::test]
async fn server_capabilities_are_known_before_connecting() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let own = sessions.for_current_runtime();
    assert_eq!(
        sessions.require::<Expiring>().await.is_err(),
        own.require::<Expiring>().await.is_err()
    );
}

async fn connect(url: &str) -> Sessions {
    let config = SessionConfig::new().secret(SECRET).store(url).timeout(Duration::from_secs(5));
    Sessions::new(config).await.unwrap()
}

async fn count(sessions: &Sessions) -> Result<u64, Error> {
    sessions.create::<Visitor>().await?.count().incr(1).await
}

fn on_another_thread<F: Future>(run: impl FnOnce() -> F + Send) {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    thread::scope(|scope| scope.spawn(|| drop(runtime().block_on(run()))).join().unwrap());
}
