//! A store on Redis during faults of the server or the network, with real processes.

use std::time::{Duration, Instant};

use session_runtime::RedisStore;
use session_runtime::store::{
    Action, Destroyed, Lookup, Modified, Modify, Refresh, SessionKey, SessionStore, StoreError,
    Write, WriteMode,
};
use session_tests::proxy::Proxy;
use session_tests::server::{Make, RedisServer};
use session_tests::store_suite::fresh_key;
use session_tests::store_suite::{create, logout, remove, set, try_write};
use session_tests::until;

const DEADLINE: Duration = Duration::from_millis(500);
/// The limit on a busy machine for operations that should take half a second.
const GENEROUSLY: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_killed_server_is_unavailable_and_back_without_a_new_store() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    server.kill();
    for _ in 0..20 {
        let read = timed(store.get(&key, "a", Refresh::No)).await.unwrap_err();
        assert!(read.is_unavailable() && !read.is_outcome_unknown());
        let written = timed(try_write(&store, &key, &[set("b", "1")])).await.unwrap_err();
        assert!(written.is_unavailable());
    }
    server.restart();
    serves_again(&store, &key).await;
    assert_eq!(try_write(&store, &key, &[set("b", "2")]).await.unwrap(), Lookup::Found(0));
}

#[tokio::test]
async fn a_write_while_the_server_is_known_to_be_down_was_not_carried_out() {
    let mut server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    server.kill();
    until("the store to notice", async || store.get(&key, "a", Refresh::No).await.is_err()).await;
    let error = timed(try_write(&store, &key, &[set("b", "1")])).await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown());
}

#[tokio::test]
async fn scripts_that_the_server_lost_are_sent_again() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    let _: String = server.cli(&["SCRIPT", "FLUSH"]);
    let before = server.counts();
    assert_eq!(try_write(&store, &key, &[set("a", "2")]).await.unwrap(), Lookup::Found(0));
    assert_eq!(try_write(&store, &key, &[set("a", "3")]).await.unwrap(), Lookup::Found(0));
    let counts = server.counts() - before;
    assert_eq!((counts.calls("evalsha"), counts.calls("eval"), counts.calls("hset")), (2, 1, 2));
}

#[tokio::test]
async fn a_killed_connection_is_replaced_without_an_error() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    for _ in 0..10 {
        let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        assert_eq!(
            store.get(&key, "a", Refresh::No).await.unwrap(),
            Lookup::Found(Some("1".into()))
        );
        assert_eq!(try_write(&store, &key, &[set("b", "1")]).await.unwrap(), Lookup::Found(0));
    }
}

/// As on a laptop after sleep: the thread stops, the server closes the connection, and the first
/// operation is a write.
#[tokio::test]
async fn a_write_after_a_standstill_is_not_handed_to_a_connection_that_has_ended() {
    for make in [Make::Usual, Make::Redis8] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let store = connect(&server.url()).await;
        let key = session(&store).await;
        let stand_still = || {
            let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
            std::thread::sleep(Duration::from_millis(1_100));
        };
        stand_still();
        assert_eq!(try_write(&store, &key, &[set("b", "1")]).await.unwrap(), Lookup::Found(0));
        stand_still();
        let (first, second) = ([set("b", "2")], [set("c", "2")]);
        let written =
            tokio::join!(try_write(&store, &key, &first), try_write(&store, &key, &second));
        assert_eq!((written.0.unwrap(), written.1.unwrap()), (Lookup::Found(0), Lookup::Found(0)));
        stand_still();
        let action = Action::AddInteger { by: 1, default: 0, min: 0, max: 9 };
        let (mode, expires_in) = (WriteMode::Existing, GENEROUSLY);
        let modify = Modify {
            mode,
            field: "b",
            alias: None,
            action,
            ttl: None,
            expires_in,
            index: None,
            keeps_times: false,
        };
        assert_eq!(
            store.modify(&key, modify).await.unwrap(),
            Lookup::Found(Modified::Sum("3".into()))
        );
        stand_still();
        assert_eq!(store.destroy(&key, logout(GENEROUSLY)).await.unwrap(), Destroyed::Ended);
    }
}

/// The same if several threads drive tasks. No thread may have noticed the end of the connection
/// before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_after_a_standstill_of_all_threads_is_not_sent_on_an_ended_connection() {
    let server = RedisServer::start();
    let mut stores = Vec::new();
    for _ in 0..30 {
        let store = connect(&server.url()).await;
        let key = session(&store).await;
        stores.push((store, key));
    }
    for round in 0..3 {
        let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        let stand_still =
            || tokio::spawn(async { std::thread::sleep(Duration::from_millis(1_100)) });
        let (one, other) = (stand_still(), stand_still());
        one.await.unwrap();
        other.await.unwrap();
        let value = round.to_string();
        for written in
            stores.iter().map(async |(store, key)| try_write(store, key, &[set("b", &value)]).await)
        {
            assert_eq!(written.await.unwrap(), Lookup::Found(0));
        }
    }
}

#[tokio::test]
async fn many_requests_share_one_new_connection() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    let before = connections_received(&server);
    let reads = (0..200).map(|_| store.get(&key, "a", Refresh::No));
    for read in futures::future::join_all(reads).await {
        assert_eq!(read.unwrap(), Lookup::Found(Some("1".into())));
    }
    // The second connection belongs to the test.
    assert_eq!(connections_received(&server) - before, 2);
}

#[tokio::test]
async fn a_frozen_server_is_unavailable_and_back_when_it_goes_on() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    server.pause();
    let error = timed(try_write(&store, &key, &[set("b", "1")])).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert!(timed(store.get(&key, "a", Refresh::No)).await.unwrap_err().is_unavailable());
    // Once the server is known to be down, operations fail without waiting, and nothing is sent.
    until(
        "the store to notice",
        async || matches!(try_write(&store, &key, &[]).await, Err(error) if !error.is_outcome_unknown()),
    )
    .await;
    let asked = Instant::now();
    for _ in 0..100 {
        assert!(store.get(&key, "a", Refresh::No).await.unwrap_err().is_unavailable());
    }
    assert!(asked.elapsed() < DEADLINE * 20);
    server.resume();
    serves_again(&store, &key).await;
}

#[tokio::test]
async fn a_black_holed_connection_is_replaced_by_a_new_one() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    let key = session(&store).await;
    proxy.black_hole_existing();
    let error = timed(store.get(&key, "a", Refresh::No)).await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown());
    serves_again(&store, &key).await;
}

/// The first write detects the fault. Later writes do not use the connection in doubt.
#[tokio::test]
async fn a_doubted_connection_takes_no_new_operations() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    let key = session(&store).await;
    for value in ["1", "2", "3"] {
        proxy.black_hole_existing();
        let error = timed(try_write(&store, &key, &[set("b", "lost")])).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error:?}");
        assert_eq!(try_write(&store, &key, &[set("b", value)]).await.unwrap(), Lookup::Found(0));
        assert_eq!(
            store.get(&key, "b", Refresh::No).await.unwrap(),
            Lookup::Found(Some(value.into()))
        );
    }
}

/// A waiting write is not resent, because the command may have arrived.
#[tokio::test]
async fn a_read_that_waits_is_sent_again_on_the_replacement() {
    const LONG: Duration = Duration::from_secs(4);
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = RedisStore::builder(&proxy.url()).timeout(LONG).connect().await.unwrap();
    let key = session(&store).await;
    proxy.black_hole_existing();
    let first = tokio::spawn({
        let (store, key) = (store.clone(), key.clone());
        async move { try_write(&store, &key, &[set("b", "1")]).await }
    });
    tokio::time::sleep(LONG / 4).await;
    let hour = Refresh::To(Duration::from_secs(3600));
    let change = [set("b", "2")];
    let (read, refreshing, alive, written) = tokio::join!(
        store.get(&key, "a", Refresh::No),
        store.get(&key, "a", hour),
        store.time(),
        try_write(&store, &key, &change),
    );
    assert_eq!(read.unwrap(), Lookup::Found(Some("1".into())));
    assert_eq!(refreshing.unwrap(), Lookup::Found(Some("1".into())));
    assert!(alive.is_ok());
    assert!(written.unwrap_err().is_outcome_unknown());
    assert!(first.await.unwrap().unwrap_err().is_outcome_unknown());
    assert_eq!(store.get(&key, "b", Refresh::No).await.unwrap(), Lookup::Found(None));
}

/// The operating system probes idle connections. The library sets the interval and the action.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_idle_connection_is_probed() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
    let sockets = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let peer = format!(":{:04X}", server.port());
    let timers = sockets.lines().filter_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        columns[2].ends_with(&peer).then(|| columns[5].to_owned())
    });
    // The timer type 2 is the keep-alive timer. The next number is the time left in hundredths of a
    // second.
    const KEEP_ALIVE: &str = "02";
    for timer in timers {
        let (kind, fires_in) = timer.split_once(':').unwrap();
        assert_eq!(kind, KEEP_ALIVE, "{timer}");
        assert!(u32::from_str_radix(fires_in, 16).unwrap() <= 1_500, "{timer}");
    }
}

#[tokio::test]
async fn a_black_holed_network_is_unavailable_until_it_clears_up() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    let key = session(&store).await;
    proxy.black_hole();
    for _ in 0..10 {
        assert!(timed(store.get(&key, "a", Refresh::No)).await.unwrap_err().is_unavailable());
    }
    proxy.clear_up();
    serves_again(&store, &key).await;
    assert_eq!(try_write(&store, &key, &[set("b", "1")]).await.unwrap(), Lookup::Found(0));
}

#[tokio::test]
async fn a_write_whose_reply_is_lost_is_unknown_and_carried_out_once() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    let key = session(&store).await;
    for bytes in [0, 1, 3] {
        let before = server.counts();
        proxy.break_after(bytes);
        let error = timed(try_write(&store, &key, &[set("b", "1")])).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error:?}");
        assert_eq!(
            store.get(&key, "b", Refresh::No).await.unwrap(),
            Lookup::Found(Some("1".into()))
        );
        let counts = server.counts() - before;
        assert_eq!(
            (counts.calls("evalsha"), counts.calls("eval"), counts.calls("hset")),
            (1, 0, 1)
        );
    }
}

#[tokio::test]
async fn a_read_whose_reply_is_lost_is_repeated() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    let key = session(&store).await;
    proxy.break_after(3);
    let read = timed(store.get(&key, "a", Refresh::To(GENEROUSLY * 100))).await;
    assert_eq!(read.unwrap(), Lookup::Found(Some("1".into())));
}

#[tokio::test]
async fn connections_cut_at_random_lose_and_repeat_no_write() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    let key = session(&store).await;
    let before = server.counts().calls("hset");
    let (mut done, mut unknown) = (0, 0);
    for at in 0..60 {
        if at % 3 == 0 {
            proxy.cut();
        }
        match timed(try_write(&store, &key, &[set(&format!("field {at}"), "1")])).await {
            Ok(written) => {
                assert_eq!(written, Lookup::Found(0));
                done += 1;
            }
            Err(error) if error.is_outcome_unknown() => unknown += 1,
            Err(error) => assert!(error.is_unavailable()),
        }
    }
    let carried_out = server.counts().calls("hset") - before;
    assert!((done..=done + unknown).contains(&carried_out), "{done} {unknown} {carried_out}");
    assert!(done > 0);
}

#[tokio::test]
async fn a_dropped_request_does_not_stop_the_others_reconnecting() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = connect(&proxy.url()).await;
    let key = session(&store).await;
    proxy.cut();
    for _ in 0..5 {
        // Polled once and then dropped. This future may have started the reconnect.
        let _ = futures::FutureExt::now_or_never(store.get(&key, "a", Refresh::No));
    }
    until("a connection", async || store.get(&key, "a", Refresh::No).await.is_ok()).await;
}

#[tokio::test]
async fn a_store_outlives_the_runtime_that_it_was_made_on() {
    let server = RedisServer::start();
    let url = server.url();
    let (store, key) = on_a_runtime_that_ends(async move || {
        let store = connect(&url).await;
        let key = session(&store).await;
        (store, key)
    });
    assert_eq!(try_write(&store, &key, &[set("b", "1")]).await.unwrap(), Lookup::Found(0));
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
}

#[tokio::test]
async fn a_store_outlives_a_runtime_that_ended_while_it_was_reconnecting() {
    let mut server = RedisServer::start();
    let store = connect(&server.url()).await;
    server.kill();
    let shared = store.clone();
    on_a_runtime_that_ends(async move || {
        let _ = shared.get(&fresh_key(), "a", Refresh::No).await;
        assert!(shared.get(&fresh_key(), "a", Refresh::No).await.unwrap_err().is_unavailable());
    });
    server.restart();
    let key = fresh_key();
    until("the store to serve again", async || store.get(&key, "a", Refresh::No).await.is_ok())
        .await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_still_reads() {
    let server = RedisServer::start_with(&["--min-replicas-to-write", "0"]);
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    let _: String = server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let hour = Refresh::To(Duration::from_secs(3600));
    assert_eq!(store.get(&key, "a", hour).await.unwrap(), Lookup::Found(Some("1".into())));
    // No value was found, and the session may not exist. So the result is not an empty session.
    assert!(store.get(&key, "missing", hour).await.unwrap_err().is_unavailable());
    let error = try_write(&store, &key, &[set("a", "2")]).await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown());
    let _: String = server.cli(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
}

/// A refresh that the server delays blocks no read, because the refresh uses a separate connection.
#[tokio::test]
async fn reads_below_a_threshold_go_on_while_writes_are_paused() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let (due, ample) = (session(&store).await, session(&store).await);
    let _: String = server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let day = Duration::from_secs(24 * 3600);
    let is_due = Refresh::Below { below: day, expires_in: day * 2 };
    let is_ample = Refresh::Below { below: Duration::from_secs(1), expires_in: day };
    for _ in 0..50 {
        assert_eq!(store.get(&due, "a", is_due).await.unwrap(), Lookup::Found(Some("1".into())));
        assert_eq!(
            store.get(&ample, "a", is_ample).await.unwrap(),
            Lookup::Found(Some("1".into()))
        );
    }
    let hour = Refresh::To(Duration::from_secs(3600));
    assert!(
        timed(store.get(&ample, "a", hour)).await.unwrap_err().is_unavailable(),
        "within the deadline"
    );
    let _: String = server.cli(&["CLIENT", "UNPAUSE"]);
    serves_again(&store, &ample).await;
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_unavailable() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    let _: String = server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let hour = Refresh::To(Duration::from_secs(3600));
    assert!(store.get(&key, "a", hour).await.unwrap_err().is_unavailable());
    let error = try_write(&store, &key, &[set("a", "2")]).await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown());
    let _: String = server.cli(&["REPLICAOF", "NO", "ONE"]);
    serves_again(&store, &key).await;
    assert_eq!(store.get(&key, "a", hour).await.unwrap(), Lookup::Found(Some("1".into())));
}

#[tokio::test]
async fn full_memory_refuses_values_whole_and_takes_removals() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]);
    let store = connect(&server.url()).await;
    let key = session(&store).await;
    let python = fresh_key();
    let _: i64 = server.cli(&["HSET", python.expose_secret(), "b", "1"]);
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let changes = [remove("a"), set("b", "2")];
    let error = try_write(&store, &key, &changes).await.unwrap_err();
    assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
    for (key, field) in [(&key, "a"), (&python, "b")] {
        let removal = [remove(field)];
        assert_eq!(try_write(&store, key, &removal).await.unwrap(), Lookup::Found(1));
        assert_eq!(store.get(key, "", Refresh::No).await.unwrap(), Lookup::Found(Some("".into())));
        assert!(server.cli::<i64>(&["PTTL", key.expose_secret()]) > 0);
    }
}

#[tokio::test]
async fn a_permission_taken_away_leaves_nothing_half_done() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let (live, fresh) = (session(&store).await, fresh_key());
    for taken in ["pexpire", "hdel", "hset", "hexists", "evalsha"] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{taken}")]);
        for (key, mode) in
            [(&live, WriteMode::Existing), (&live, WriteMode::Create), (&fresh, WriteMode::Create)]
        {
            let write = Write {
                mode,
                changes: &[set("b", "1"), remove("a")],
                expires_in: GENEROUSLY,
                index: None,
            };
            let error = store.write(key, write).await.unwrap_err();
            assert!(!error.is_unavailable(), "{taken}: {error:?}");
        }
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{taken}")]);
        assert_eq!(
            store.get(&live, "a", Refresh::No).await.unwrap(),
            Lookup::Found(Some("1".into())),
            "{taken}"
        );
        assert_eq!(
            store.get(&live, "b", Refresh::No).await.unwrap(),
            Lookup::Found(None),
            "{taken}"
        );
        assert_eq!(server.cli::<i64>(&["EXISTS", fresh.expose_secret()]), 0, "{taken}");
    }
}

#[tokio::test]
async fn a_session_of_another_program_gets_the_permanent_field_before_it_can_vanish() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let key = fresh_key();
    let _: i64 = server.cli(&["HSET", key.expose_secret(), "count", "1"]);
    let removal = [remove("count")];
    assert_eq!(try_write(&store, &key, &removal).await.unwrap(), Lookup::Found(1));
    let fields: Vec<String> = server.cli(&["HGETALL", key.expose_secret()]);
    assert_eq!(fields, ["", ""]);
    assert!(server.cli::<i64>(&["PTTL", key.expose_secret()]) > 0);
}

async fn connect(url: &str) -> RedisStore {
    RedisStore::builder(url).timeout(DEADLINE).connect().await.unwrap()
}

/// Returns the key of a live session with the field `a`.
async fn session(store: &RedisStore) -> SessionKey {
    let key = fresh_key();
    create(store, &key, &[set("a", "1")]).await;
    key
}

/// Checks that an operation keeps the deadline, with a generous limit.
async fn timed<T>(operation: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(GENEROUSLY, operation).await.expect("an operation ends at its deadline")
}

/// Checks that the store serves again within a second after the server is back, with a generous
/// limit.
async fn serves_again(store: &RedisStore, key: &SessionKey) {
    let since = Instant::now();
    until("the store to serve again", async || store.get(key, "a", Refresh::No).await.is_ok())
        .await;
    assert!(since.elapsed() < GENEROUSLY);
    assert_eq!(store.get(key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
}

#[tokio::test]
async fn a_connection_is_made_while_the_server_pauses_writes() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let _: String = server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
        RedisStore::builder(&server.url()).timeout(Duration::from_secs(5)).connect().await.unwrap();
        let _: String = server.cli(&["CLIENT", "UNPAUSE"]);
    }
}

fn on_a_runtime_that_ends<T: Send + 'static>(work: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work())
    });
    thread.join().unwrap()
}

fn connections_received(server: &RedisServer) -> u64 {
    let info: String = server.cli(&["INFO", "stats"]);
    let number = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    number.unwrap().parse().unwrap()
}
