//! A thread that has a runtime of its own has connections of its own.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::thread;
use std::time::Duration;

use session_runtime::{ConnectionState, Error, MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::{Cluster, Sentinel};
use session_tests::server::RedisServer;
use session_tests::until;

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

#[tokio::test]
async fn all_of_one_thread_share_a_connection_until_the_last_is_gone() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let session = sessions.create::<Visitor>().await.unwrap();
    assert_eq!(server.clients(), 1);

    let (own, again) = (sessions.of_this_thread(), sessions.of_this_thread());
    until("a connection", async || server.clients() == 2).await;
    for manager in [&own, &again, &own.of_this_thread()] {
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
async fn each_thread_has_its_own() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let own = sessions.of_this_thread();
    count(&own).await.unwrap();
    on_another_thread(|| async {
        let theirs = sessions.of_this_thread();
        count(&theirs).await.unwrap();
        until("two connections", async || server.clients() == 3).await;
    });
    until("the end of the other's", async || server.clients() == 2).await;
    count(&own).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_of_one_runtime_share_what_is_there() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    count(&sessions.of_this_thread()).await.unwrap();
    thread::scope(|scope| scope.spawn(|| sessions.of_this_thread()).join().unwrap());
    assert_eq!(server.clients(), 1);
}

#[tokio::test]
async fn memory_is_everybodys() {
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    let id = sessions.create::<Visitor>().await.unwrap().session_id().unwrap();
    assert!(sessions.of_this_thread().open_id::<Visitor>(&id).exists().await.unwrap());
}

#[tokio::test]
async fn the_state_is_that_of_the_threads() {
    let mut server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let own = sessions.of_this_thread();
    until("a connection", async || sessions.connection_state() == ConnectionState::Connected).await;
    server.kill();
    until("the loss", async || {
        assert!(count(&own).await.unwrap_err().is_unavailable());
        sessions.connection_state() == ConnectionState::Disconnected
    })
    .await;
    server.restart();
    until("the server", async || count(&own).await.is_ok()).await;
    assert_eq!(sessions.connection_state(), ConnectionState::Connected);
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for() {
    let mut server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    server.kill();
    let own = sessions.of_this_thread();
    until("an error", async || count(&own).await.is_err_and(|error| error.is_unavailable())).await;
    server.restart();
    until("the server", async || count(&own).await.is_ok()).await;
}

#[tokio::test]
async fn behind_sentinels_and_on_a_cluster() {
    let (sentinels, cluster) = (Sentinel::start(), Cluster::start());
    for url in [sentinels.url(), cluster.url()] {
        let own = connect(&url).await.of_this_thread();
        count(&own).await.unwrap();
    }
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
