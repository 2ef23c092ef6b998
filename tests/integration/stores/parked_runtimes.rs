//! A runtime that is polled for one operation at a time and parked in between. Nothing that others
//! need depends on this runtime alone.

use std::sync::mpsc;
use std::time::Duration;

use session_runtime::RedisStore;
use session_runtime::store::{Lookup, Refresh, SessionKey, SessionStore};
use session_tests::deployment::Cluster;
use session_tests::proxy::Proxy;
use session_tests::server::RedisServer;
use session_tests::store_suite::{create, fresh_key, logout, set};
use session_tests::wait_for;
use tokio::runtime::{Builder, Runtime};

const HOUR: Duration = Duration::from_secs(3600);
/// Longer than the initial expiry of a session.
const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn the_runtime_itself_finds_the_server_again() {
    let mut server = RedisServer::start();
    let runtime = parked();
    let store = runtime.block_on(connect(&server.url()));
    server.kill();
    wait_for("the store to notice", || (!serves(&runtime, &store)).then_some(()));
    server.restart();
    wait_for("the server", || serves(&runtime, &store).then_some(()));
}

#[test]
fn a_pause_between_attempts_delays_no_other_runtime() {
    let mut server = RedisServer::start();
    let (runtime, other) = (parked(), parked());
    let store = runtime.block_on(connect(&server.url()));
    server.kill();
    wait_for("the store to notice", || (!serves(&runtime, &store)).then_some(()));
    server.restart();
    wait_for("the server", || serves(&other, &store).then_some(()));
}

#[test]
fn an_attempt_without_a_reply_delays_no_other_runtime() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let (runtime, other) = (parked(), parked());
    let store = runtime.block_on(connect(&proxy.url()));
    proxy.black_hole();
    proxy.cut();
    assert!(!serves(&runtime, &store));
    proxy.clear_up();
    wait_for("the server", || serves(&other, &store).then_some(()));
}

#[test]
fn a_connection_of_a_parked_runtime_delays_others_only_briefly() {
    let server = RedisServer::start();
    let (runtime, other) = (parked(), parked());
    let store = runtime.block_on(connect(&server.url()));
    wait_for("another connection", || serves(&other, &store).then_some(()));
    assert!(serves(&other, &store));
}

#[test]
fn a_blocked_worker_delays_no_other_runtime() {
    let mut server = RedisServer::start();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let other = parked();
    let store = runtime.block_on(connect(&server.url()));
    server.kill();
    let (is_blocked, blocked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let shared = store.clone();
    runtime.spawn(async move {
        while shared.get(&fresh_key(), "a", Refresh::No).await.is_ok() {}
        is_blocked.send(()).unwrap();
        let _ = released.recv();
    });
    blocked.recv().unwrap();
    server.restart();
    wait_for("the server", || serves(&other, &store).then_some(()));
    drop(release);
}

/// The task that requests the slots starts on the parked runtime.
#[test]
fn the_slots_of_a_cluster_are_read_despite_a_parked_runtime() {
    let cluster = Cluster::start();
    let proxy = Proxy::start(cluster.nodes()[0].port());
    proxy.black_hole();
    let url = proxy.url().replacen("redis://", "redis+cluster://", 1);
    let store =
        RedisStore::builder(&url).timeout(Duration::from_millis(300)).connect_lazily().unwrap();
    let (runtime, other) = (parked(), parked());
    assert!(!serves(&runtime, &store));
    proxy.clear_up();
    wait_for("the slots", || serves(&other, &store).then_some(()));
}

#[test]
fn an_expiry_is_refreshed_despite_a_parked_runtime() {
    let server = RedisServer::start();
    let runtime = parked();
    let store = runtime.block_on(connect(&server.url()));
    let key = runtime.block_on(session(&store));
    let is_due = Refresh::Below { below: DAY, expires_in: DAY };
    assert_eq!(
        runtime.block_on(store.get(&key, "a", is_due)).unwrap(),
        Lookup::Found(Some("1".into()))
    );
    wait_for("the refresh", || (expires_in(&server, &key) > HOUR).then_some(()));
}

#[test]
fn a_tombstone_expiry_is_restored_despite_a_parked_runtime() {
    let server = RedisServer::start();
    let runtime = parked();
    let store = runtime.block_on(connect(&server.url()));
    let key = runtime.block_on(session(&store));
    runtime.block_on(store.destroy(&key, logout(HOUR))).unwrap();
    assert_eq!(runtime.block_on(store.get(&key, "a", Refresh::To(DAY))).unwrap(), Lookup::Dead);
    wait_for("its own end", || (expires_in(&server, &key) <= HOUR).then_some(()));
}

/// Returns a runtime that makes progress only in `block_on`.
fn parked() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connect(url: &str) -> RedisStore {
    RedisStore::builder(url).timeout(Duration::from_secs(1)).connect().await.unwrap()
}

fn serves(runtime: &Runtime, store: &RedisStore) -> bool {
    runtime.block_on(store.get(&fresh_key(), "a", Refresh::No)).is_ok()
}

async fn session(store: &RedisStore) -> SessionKey {
    let key = fresh_key();
    create(store, &key, &[set("a", "1")]).await;
    key
}

fn expires_in(server: &RedisServer, key: &SessionKey) -> Duration {
    Duration::from_millis(server.cli(&["PTTL", key.expose_secret()]))
}
