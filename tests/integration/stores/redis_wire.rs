//! The exact commands that a store on Redis sends, and the number of round trips.

use std::time::Duration;

use session_runtime::RedisStore;
use session_runtime::store::{Lookup, Refresh, SessionKey, SessionStore, Write, WriteMode};
use session_tests::proxy::Proxy;
use session_tests::server::RedisServer;
use session_tests::store_suite::fresh_key;
use session_tests::store_suite::{create, remove, set, try_write};
use tokio::task::JoinSet;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_first_read_is_two_plain_commands_and_a_later_read_is_one() {
    let (server, store, key) = session().await;
    let monitor = server.monitor();
    store.get(&key, "a", Refresh::To(MINUTE)).await.unwrap();
    store.contains(&key, "a", Refresh::To(Duration::from_micros(1500))).await.unwrap();
    store.get(&key, "a", Refresh::No).await.unwrap();
    store.contains(&key, "a", Refresh::No).await.unwrap();
    let name = key.expose_secret();
    assert_eq!(
        monitor.finish(),
        [
            format!(r#""HGET" "{name}" "a""#),
            format!(r#""PEXPIRE" "{name}" "60000""#),
            format!(r#""HEXISTS" "{name}" "a""#),
            format!(r#""PEXPIRE" "{name}" "1""#),
            format!(r#""HGET" "{name}" "a""#),
            format!(r#""HEXISTS" "{name}" "a""#),
        ]
    );
}

#[tokio::test]
async fn a_write_is_one_script_with_the_fewest_writes() {
    let (server, store, key) = session().await;
    let before = server.counts();
    let monitor = server.monitor();
    try_write(&store, &key, &[set("a", "2"), remove("b")]).await.unwrap();
    let commands = monitor.finish();
    let name = key.expose_secret();
    assert!(commands[0].starts_with(r#""EVALSHA" "#), "{}", commands[0]);
    assert!(
        commands[0].ends_with(&format!(r#" "1" "{name}" "3600000" "0" "1" "0" "b" "a" "2""#)),
        "{}",
        commands[0]
    );
    assert_eq!(
        commands[1..],
        [
            format!(r#"lua "HEXISTS" "{name}" """#),
            format!(r#"lua "HMGET" "{name}" "b""#),
            format!(r#"lua "HSET" "{name}" "a" "2""#),
            format!(r#"lua "HDEL" "{name}" "b""#),
            format!(r#"lua "PEXPIRE" "{name}" "3600000""#),
        ]
    );
    assert_eq!((server.counts() - before).calls("evalsha"), 1);
}

/// On a single thread, all operations are handed over before the connection's driver runs.
#[tokio::test]
async fn operations_side_by_side_share_a_write() {
    let (_server, proxy, store, key) = session_behind_a_proxy().await;
    let before = proxy.pieces_sent();
    const ROUNDS: usize = 20;
    for _ in 0..ROUNDS {
        let eight = std::array::from_fn::<_, 8, _>(|_| store.get(&key, "a", Refresh::To(MINUTE)));
        assert!(futures::future::join_all(eight).await.into_iter().all(|read| read.is_ok()));
    }
    assert_eq!(proxy.pieces_sent() - before, ROUNDS);
}

/// On runtimes that run tasks out of turn, tasks send their next commands after one read has
/// brought several replies.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn operations_of_tasks_on_a_busy_connection_share_writes() {
    let (_server, proxy, store, key) = session_behind_a_proxy().await;
    let before = proxy.pieces_sent();
    const TASKS: usize = 40;
    const ROUNDS: usize = 50;
    let read_again_and_again = move |_| {
        let (store, key) = (store.clone(), key.clone());
        async move {
            for _ in 0..ROUNDS {
                store.get(&key, "a", Refresh::No).await.unwrap();
            }
        }
    };
    // A task on the only worker thread starts these tasks. So all are ready before the first task
    // runs.
    let tasks = async move {
        (0..TASKS).map(read_again_and_again).collect::<JoinSet<_>>().join_all().await
    };
    tokio::spawn(tasks).await.unwrap();
    let pieces = proxy.pieces_sent() - before;
    // About one write for each round, and at most three more before the connection is busy. If the
    // driver runs out of turn, between five and twenty-seven were seen.
    assert!(pieces <= TASKS * ROUNDS / 8, "{pieces} writes of {} operations", TASKS * ROUNDS);
}

#[tokio::test]
async fn the_first_write_of_a_new_store_is_one_trip_too() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let before = server.counts();
    create(&store, &fresh_key(), &[set("a", "1")]).await;
    let counts = server.counts() - before;
    assert_eq!((counts.calls("evalsha"), counts.calls("eval"), counts.calls("hset")), (1, 0, 1));
}

#[tokio::test]
async fn a_creation_is_one_hash_with_everything() {
    let (server, store, _) = session().await;
    let key = fresh_key();
    let write = Write {
        mode: WriteMode::Create,
        changes: &[set("a", "1"), set("b", "")],
        expires_in: Duration::from_micros(1),
        index: None,
    };
    let monitor = server.monitor();
    assert_eq!(store.write(&key, write).await.unwrap(), Lookup::Found(0));
    let name = key.expose_secret();
    assert_eq!(
        monitor.finish()[1..],
        [
            format!(r#"lua "HEXISTS" "{name}" """#),
            format!(r#"lua "HSET" "{name}" "" "" "a" "1" "b" """#),
            format!(r#"lua "PEXPIRE" "{name}" "1""#),
        ]
    );
}

#[tokio::test]
async fn many_changes_go_in_slices() {
    let (server, store, key) = session().await;
    let names: Vec<_> = (0..2500).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names.iter().map(|name| set(name, "1")).collect();
    let before = server.counts();
    try_write(&store, &key, &sets).await.unwrap();
    let counts = server.counts() - before;
    assert_eq!((counts.calls("evalsha"), counts.calls("hset"), counts.calls("pexpire")), (1, 3, 1));
}

#[tokio::test]
async fn errors_quote_no_text_of_the_server() {
    let (server, store, key) = session().await;
    let _: String = server.cli(&["ACL", "SETUSER", "default", "resetkeys", "~other:*"]);
    let error = store.get(&key, "a", Refresh::No).await.unwrap_err();
    let told = format!(
        "{error:?} {error} {:?}",
        std::error::Error::source(&error).map(ToString::to_string)
    );
    assert!(told.contains("may not access the key"), "{told}");
    assert!(!told.contains(key.expose_secret()) && !told.contains("sessions:{"), "{told}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_idle_connection_is_kept_alive() {
    const KEEPALIVE_TIMER: &str = "02";
    let (server, store, _) = session().await;
    // Columns: number, local address, remote address, state, queues, timer and time left, …
    let to_server = format!(":{:04X}", server.port());
    let sockets = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let timers: Vec<_> = sockets
        .lines()
        .map(|socket| socket.split_whitespace().collect::<Vec<_>>())
        .filter(|columns| columns[2].ends_with(&to_server) && columns[3] == "01")
        .map(|columns| columns[5].split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(timers, [KEEPALIVE_TIMER]);
    drop(store);
}

async fn session() -> (RedisServer, RedisStore, SessionKey) {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = fresh_key();
    create(&store, &key, &[set("a", "1"), set("b", "1")]).await;
    (server, store, key)
}

/// Returns the same session with a store whose writes are counted.
async fn session_behind_a_proxy() -> (RedisServer, Proxy, RedisStore, SessionKey) {
    let (server, _, key) = session().await;
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    (server, proxy, store, key)
}

async fn connect(url: &str) -> RedisStore {
    RedisStore::builder(url).timeout(MINUTE).connect().await.unwrap()
}
