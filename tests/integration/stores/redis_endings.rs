//! Rotation and destruction on Redis: the commands, and the results when the server refuses,
//! forgets scripts or does not reply.

use std::time::{Duration, Instant, SystemTime};

use session_runtime::RedisStore;
use session_runtime::store::{
    DestroyReason, Destroyed, Lookup, Refresh, SessionKey, SessionStore, TombstoneKind,
};
use session_tests::proxy::Proxy;
use session_tests::server::RedisServer;
use session_tests::store_suite::fresh_key;
use session_tests::store_suite::{
    Successor, assert_is_dead, create, logout, remove, set, try_write,
};
use session_tests::until;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_rotation_is_one_script_of_two_keys() {
    let (server, store, key) = session().await;
    let successor = Successor::fresh();
    let monitor = server.monitor();
    store.rotate(&key, successor.rotation()).await.unwrap();
    let commands = monitor.finish();
    assert_eq!(
        tombstone(&server, &key),
        ("rotated".to_owned(), successor.id.expose_secret().to_owned())
    );
    let content: String = server.cli(&["GET", key.expose_secret()]);
    let (old, new, id) =
        (key.expose_secret(), successor.key.expose_secret(), successor.id.expose_secret());
    assert!(commands[0].starts_with(r#""EVALSHA" "#), "{}", commands[0]);
    assert!(
        commands[0]
            .ends_with(&format!(r#" "2" "{old}" "{new}" "{id}" "3600000" "60000" "rotated""#)),
        "{}",
        commands[0]
    );
    assert_eq!(
        commands[1..],
        [
            format!(r#"lua "HMGET" "{old}" "" "\x00""#),
            format!(r#"lua "EXISTS" "{new}""#),
            r#"lua "TIME""#.to_owned(),
            format!(r#"lua "RENAME" "{old}" "{new}""#),
            format!(r#"lua "SET" "{old}" "{content}" "PX" "60000""#),
            format!(r#"lua "PEXPIRE" "{new}" "3600000""#),
        ]
    );
}

#[tokio::test]
async fn a_destruction_is_one_script_of_one_key() {
    let (server, store, key) = session().await;
    let monitor = server.monitor();
    store.destroy(&key, logout(MINUTE)).await.unwrap();
    let (commands, name) = (monitor.finish(), key.expose_secret());
    assert_eq!(tombstone(&server, &key), ("loggedout".to_owned(), String::new()));
    let content: String = server.cli(&["GET", name]);
    assert!(commands[0].starts_with(r#""EVALSHA" "#), "{}", commands[0]);
    assert!(
        commands[0].ends_with(&format!(r#" "1" "{name}" "60000" "loggedout""#)),
        "{}",
        commands[0]
    );
    assert_eq!(
        commands[1..],
        [
            format!(r#"lua "HMGET" "{name}" "" "\x00""#),
            r#"lua "TIME""#.to_owned(),
            format!(r#"lua "EXISTS" "{name}+""#),
            format!(r#"lua "UNLINK" "{name}""#),
            format!(r#"lua "SET" "{name}" "{content}" "PX" "60000""#),
        ]
    );
}

#[tokio::test]
async fn a_read_below_a_threshold_writes_only_when_due() {
    let (server, store, key) = session().await;
    let (name, dead) = (key.expose_secret(), fresh_key());
    let _: String = server.cli(&["SET", dead.expose_secret(), "", "PX", "60000"]);
    let before = server.counts();
    let monitor = server.monitor();
    let ample = Refresh::Below { below: MINUTE, expires_in: HOUR };
    store.get(&key, "a", ample).await.unwrap();
    store.contains(&key, "a", ample).await.unwrap();
    let due = Refresh::Below { below: HOUR * 2, expires_in: HOUR * 3 };
    store.get(&dead, "a", due).await.unwrap();
    store.get(&key, "a", due).await.unwrap();
    until("the refresh", async || (server.counts() - before.clone()).calls("pexpire") == 1).await;
    let (dead, mut commands) = (dead.expose_secret(), monitor.finish());
    // The refresh uses a separate connection, which starts with a greeting.
    let others = ["INFO", "CLIENT", "HELLO", "HPTTL", "SCRIPT"].map(|name| format!(r#""{name}""#));
    commands.retain(|command| !others.iter().any(|other| command.starts_with(other)));
    assert_eq!(
        commands,
        [
            format!(r#""HGET" "{name}" "a""#),
            format!(r#""PTTL" "{name}""#),
            format!(r#""HEXISTS" "{name}" "a""#),
            format!(r#""PTTL" "{name}""#),
            format!(r#""HGET" "{dead}" "a""#),
            format!(r#""PTTL" "{dead}""#),
            format!(r#""HGET" "{name}" "a""#),
            format!(r#""PTTL" "{name}""#),
            format!(r#""PEXPIRE" "{name}" "10800000""#),
            format!(r#""HEXISTS" "{name}" """#),
        ]
    );
}

/// A background refresh that arrives after the end of the session is reverted.
#[tokio::test]
async fn a_late_refresh_restores_the_expiry_of_a_tombstone() {
    let (server, store, key) = session().await;
    let _: String = server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let blocked = |least| {
        let info: String = server.cli(&["INFO", "clients"]);
        let number = info.lines().find_map(|line| line.strip_prefix("blocked_clients:")).unwrap();
        number.parse::<u32>().unwrap() >= least
    };
    let other = RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap();
    let ending = tokio::spawn({
        let key = key.clone();
        async move { other.destroy(&key, logout(MINUTE)).await }
    });
    until("the end", async || blocked(1)).await;
    let due = Refresh::Below { below: HOUR * 2, expires_in: HOUR * 3 };
    assert_eq!(store.get(&key, "a", due).await.unwrap(), Lookup::Found(Some("1".into())));
    until("the refresh", async || blocked(2)).await;
    let before = server.counts();
    let _: String = server.cli(&["CLIENT", "UNPAUSE"]);
    assert_eq!(ending.await.unwrap().unwrap(), Destroyed::Ended);
    until("the refresh's turn", async || (server.counts() - before.clone()).calls("pexpire") == 1)
        .await;
    until("its own end", async || server.cli::<i64>(&["PTTL", key.expose_secret()]) <= 60_000)
        .await;
}

#[tokio::test]
async fn a_refused_refresh_does_not_fail_its_read() {
    let (server, store, key) = session().await;
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-pexpire"]);
    let due = Refresh::Below { below: HOUR * 2, expires_in: HOUR * 3 };
    for _ in 0..2 {
        assert_eq!(store.get(&key, "a", due).await.unwrap(), Lookup::Found(Some("1".into())));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn time_left_and_time_are_one_round_trip_of_plain_commands() {
    let (server, store, key) = session().await;
    let monitor = server.monitor();
    store.expires_in(&key).await.unwrap();
    let time = store.time().await.unwrap();
    let name = key.expose_secret();
    let expected = [
        format!(r#""HEXISTS" "{name}" """#),
        format!(r#""PTTL" "{name}""#),
        r#""TIME""#.to_owned(),
    ];
    assert_eq!(monitor.finish(), expected);
    // The server runs on this machine.
    let difference =
        SystemTime::now().duration_since(time).unwrap_or_else(|error| error.duration());
    assert!(difference < MINUTE, "{difference:?}");
}

#[tokio::test]
async fn scripts_that_the_server_lost_are_sent_again() {
    let (server, store, key) = session().await;
    let successor = Successor::fresh();
    let flush = || drop(server.cli::<String>(&["SCRIPT", "FLUSH"]));
    let before = server.counts();
    flush();
    assert_eq!(try_write(&store, &key, &[set("a", "2")]).await.unwrap(), Lookup::Found(0));
    flush();
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    flush();
    assert_eq!(store.destroy(&successor.key, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    let counts = server.counts() - before;
    assert_eq!((counts.calls("evalsha"), counts.calls("eval")), (3, 3));
    assert_eq!((counts.calls("hset"), counts.calls("rename"), counts.calls("unlink")), (1, 1, 1));
    assert_is_dead(&store, &successor.key).await;
}

#[tokio::test]
async fn full_memory_stops_neither_rotation_nor_destruction() {
    let (server, store, key) = session().await;
    let (successor, former) = (Successor::fresh(), fresh_key());
    create(&store, &former, &[set("a", "1")]).await;
    for setting in [["maxmemory-policy", "noeviction"], ["maxmemory", "1"]] {
        let _: String = server.cli(&["CONFIG", "SET", setting[0], setting[1]]);
    }
    let refused = try_write(&store, &key, &[set("b", "1")]).await.unwrap_err();
    assert!(!refused.is_unavailable(), "there is memory left: {refused:?}");
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert_eq!(store.destroy(&former, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    assert_eq!(
        store.get(&successor.key, "a", Refresh::No).await.unwrap(),
        Lookup::Found(Some("1".into()))
    );
    assert_eq!(
        store.destroy(&key, logout(MINUTE)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Rotated(successor.id))
    );
    assert_eq!(store.destroy(&successor.key, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    for key in [&key, &former, &successor.key] {
        assert!(server.cli::<i64>(&["PTTL", key.expose_secret()]) > 0);
    }
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    for key in [&key, &former, &successor.key] {
        assert_is_dead(&store, key).await;
    }
}

#[tokio::test]
async fn a_permission_taken_away_leaves_nothing_half_done() {
    let (server, store, key) = session().await;
    for command in ["set", "rename", "unlink", "pexpire", "hmget", "time"] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{command}")]);
        let successor = Successor::fresh();
        if command != "unlink" {
            let error = store.rotate(&key, successor.rotation()).await.unwrap_err();
            assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{command}: {error:?}");
        }
        if !matches!(command, "rename" | "pexpire") {
            let error = store.destroy(&key, logout(MINUTE)).await.unwrap_err();
            assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{command}: {error:?}");
        }
        is_unchanged(&server, &store, &key).await;
        assert_eq!(server.cli::<i64>(&["EXISTS", successor.key.expose_secret()]), 0);
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{command}")]);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_unavailable_and_changes_nothing() {
    let (server, store, key) = session().await;
    let (successor, refusals) = (
        Successor::fresh(),
        [
            [
                ["CONFIG", "SET", "min-replicas-to-write", "1"],
                ["CONFIG", "SET", "min-replicas-to-write", "0"],
            ]
            .map(|command| command.to_vec()),
            [["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]]
                .map(|command| command.to_vec()),
        ],
    );
    for [refuse, accept] in refusals {
        let _: String = server.cli(&refuse);
        // A session that may not have reached the replica is not reported as missing.
        for key in [&key, &fresh_key()] {
            let rotation = store.rotate(key, successor.rotation()).await.unwrap_err();
            let destruction = store.destroy(key, logout(MINUTE)).await.unwrap_err();
            for error in [rotation, destruction] {
                assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
            }
        }
        let _: String = server.cli(&accept);
        serves_again(&store, &key).await;
        is_unchanged(&server, &store, &key).await;
    }
}

#[tokio::test]
async fn a_lost_reply_is_an_unknown_outcome_and_a_repetition_settles_it() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = RedisStore::builder(&proxy.url()).timeout(MINUTE).connect().await.unwrap();
    let (key, successor) = (fresh_key(), Successor::fresh());
    create(&store, &key, &[set("a", "1")]).await;
    let before = server.counts();
    proxy.break_after(0);
    assert!(store.rotate(&key, successor.rotation()).await.unwrap_err().is_outcome_unknown());
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert_eq!(
        store.get(&successor.key, "a", Refresh::No).await.unwrap(),
        Lookup::Found(Some("1".into()))
    );
    proxy.break_after(0);
    assert!(store.destroy(&successor.key, logout(MINUTE)).await.unwrap_err().is_outcome_unknown());
    assert_eq!(
        store.destroy(&successor.key, logout(MINUTE)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Destroyed(DestroyReason::LoggedOut))
    );
    let counts = server.counts() - before;
    assert_eq!(
        (counts.calls("evalsha"), counts.calls("rename"), counts.calls("unlink")),
        (4, 1, 1)
    );
}

#[tokio::test]
async fn no_key_is_ever_seen_without_an_expiry() {
    let (server, store, _) = session().await;
    let (key, successor) = (fresh_key(), Successor::fresh());
    let names = [key.expose_secret().to_owned(), successor.key.expose_secret().to_owned()];
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let mut connection = server.connection();
    let observer = std::thread::spawn(move || {
        let (mut seen, mut looks) = ([0_u64; 2], 0_u64);
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            for (name, seen) in names.iter().zip(&mut seen) {
                let left: i64 = redis::cmd("PTTL").arg(name).query(&mut connection).unwrap();
                assert_ne!(left, -1, "a key without expiry");
                *seen += u64::from(left > 0);
            }
            looks += 1;
        }
        (seen, looks)
    });
    for _ in 0..300 {
        create(&store, &key, &[set("a", "1")]).await;
        store.rotate(&key, successor.rotation()).await.unwrap();
        store.destroy(&successor.key, logout(MINUTE)).await.unwrap();
        let _: i64 = server.cli(&["DEL", key.expose_secret(), successor.key.expose_secret()]);
    }
    drop(stop);
    let (seen, looks) = observer.join().unwrap();
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?} of {looks}");
}

#[tokio::test]
async fn a_session_of_another_program_gets_an_expiry() {
    let (server, store, _) = session().await;
    let python = || {
        let key = fresh_key();
        let _: i64 = server.cli(&["HSET", key.expose_secret(), "count", "1"]);
        key
    };
    let (read, rotated, destroyed) = (python(), python(), python());
    assert_eq!(store.expires_in(&read).await.unwrap(), Lookup::Found(Duration::MAX));
    let due = Refresh::Below { below: Duration::ZERO, expires_in: HOUR };
    assert_eq!(store.get(&read, "count", due).await.unwrap(), Lookup::Found(Some("1".into())));
    until("the refresh", async || server.cli::<i64>(&["PTTL", read.expose_secret()]) > 0).await;
    let successor = Successor::fresh();
    assert_eq!(store.rotate(&rotated, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert!(server.cli::<i64>(&["PTTL", successor.key.expose_secret()]) > 0);
    assert_eq!(store.destroy(&destroyed, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    for key in [&rotated, &destroyed] {
        assert!(server.cli::<i64>(&["PTTL", key.expose_secret()]) > 0);
        assert_is_dead(&store, key).await;
    }
}

#[tokio::test]
async fn a_key_that_is_no_session_is_dead_and_unchanged() {
    let (server, store, _) = session().await;
    let (list, text) = (fresh_key(), fresh_key());
    let _: i64 = server.cli(&["RPUSH", list.expose_secret(), "1"]);
    let _: String = server.cli(&["SET", text.expose_secret(), "no id"]);
    for key in [&list, &text] {
        assert_is_dead(&store, key).await;
        assert_eq!(
            store.destroy(key, logout(MINUTE)).await.unwrap(),
            Destroyed::Dead(TombstoneKind::Destroyed(DestroyReason::LoggedOut))
        );
    }
    assert_eq!(server.cli::<i64>(&["LLEN", list.expose_secret()]), 1);
    assert_eq!(server.cli::<String>(&["GET", text.expose_secret()]), "no id");
}

#[tokio::test]
async fn a_restart_brings_no_ended_session_back() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap();
    let (former, ended, successor) = (fresh_key(), fresh_key(), Successor::fresh());
    for key in [&former, &ended] {
        create(&store, key, &[set("a", "1")]).await;
    }
    store.rotate(&former, successor.rotation()).await.unwrap();
    store.destroy(&ended, logout(MINUTE)).await.unwrap();
    server.restart();
    // Reconnecting takes some time.
    let limit = Instant::now() + Duration::from_secs(20);
    while let Err(error) = store.expires_in(&successor.key).await {
        assert!(error.is_unavailable() && Instant::now() < limit, "{error:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for key in [&former, &ended] {
        assert_is_dead(&store, key).await;
    }
    assert_eq!(try_write(&store, &successor.key, &[remove("a")]).await.unwrap(), Lookup::Found(1));
    for key in [&former, &ended, &successor.key] {
        assert!(server.cli::<i64>(&["PTTL", key.expose_secret()]) > 0);
    }
}

#[tokio::test]
async fn a_read_restores_the_expiry_of_a_tombstone() {
    let (server, store, key) = session().await;
    store.destroy(&key, logout(MINUTE)).await.unwrap();
    let pttl = |key: &SessionKey| server.cli::<i64>(&["PTTL", key.expose_secret()]);
    let before = server.counts();
    // The server may lose scripts.
    let _: String = server.cli(&["SCRIPT", "FLUSH"]);
    for reads in 1..=3 {
        assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Dead);
        until("its end", async || (server.counts() - before.clone()).calls("pexpireat") == reads)
            .await;
        assert!((50_000..=60_000).contains(&pttl(&key)), "{}", pttl(&key));
    }
    // The end of this tombstone has already passed.
    let _: String = server.cli(&["SET", key.expose_secret(), "1700000000000:", "PX", "60000"]);
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Dead);
    until("its end", async || pttl(&key) == -2).await;
}

/// Formats of former releases: without times, and with the end only.
#[tokio::test]
async fn tombstones_of_former_formats_are_understood() {
    let (server, store, _) = session().await;
    let (ended, former, successor) = (fresh_key(), fresh_key(), Successor::fresh());
    create(&store, &successor.key, &[set("a", "1")]).await;
    let (seconds, _): (u64, u64) = server.cli(&["TIME"]);
    let until = (seconds + 240) * 1000;
    for (key, tombstone) in [
        (&ended, format!("{until}:")),
        (&former, format!("{until}:{}", successor.id.expose_secret())),
    ] {
        let _: String = server.cli(&["SET", key.expose_secret(), &tombstone, "PX", "240000"]);
        let age = store.tombstone(key).await.unwrap().unwrap().age;
        assert!(
            (59..120).contains(&age.as_secs()),
            "of the five minutes that it stays, one is over: {age:?}"
        );
    }
    assert_eq!(store.rotate(&former, successor.rotation()).await.unwrap(), Lookup::Found(()));
    let rotated = TombstoneKind::Rotated(successor.id);
    assert_eq!(store.destroy(&former, logout(MINUTE)).await.unwrap(), Destroyed::Dead(rotated));
    assert_eq!(store.get(&ended, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Dead);
    until_pttl(&server, &ended, 240_000).await;
}

async fn until_pttl(server: &RedisServer, key: &SessionKey, most: i64) {
    until("its own end", async || server.cli::<i64>(&["PTTL", key.expose_secret()]) <= most).await;
}

#[tokio::test]
async fn tombstones_without_an_end_are_understood() {
    let (server, store, _) = session().await;
    let (ended, former, successor) = (fresh_key(), fresh_key(), Successor::fresh());
    create(&store, &successor.key, &[set("a", "1")]).await;
    let id = successor.id.expose_secret();
    for (key, tombstone) in [(&ended, ""), (&former, id)] {
        let _: String = server.cli(&["SET", key.expose_secret(), tombstone, "PX", "60000"]);
    }
    assert_eq!(store.rotate(&former, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert_eq!(
        store.destroy(&former, logout(MINUTE)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Rotated(successor.id))
    );
    assert_eq!(
        store.destroy(&ended, logout(MINUTE)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Destroyed(DestroyReason::LoggedOut))
    );
    let before = server.counts();
    for key in [&ended, &former] {
        assert_eq!(store.get(key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Dead);
    }
    until("a look", async || (server.counts() - before.clone()).calls("get") == 2).await;
    assert_eq!((server.counts() - before).calls("pexpireat"), 0);
    assert_is_dead(&store, &former).await;
}

/// Returns the kind and the successor of the tombstone under a key. The tombstone was created a
/// moment ago and expires in a minute, together with the key.
fn tombstone(server: &RedisServer, key: &SessionKey) -> (String, String) {
    let text: String = server.cli(&["GET", key.expose_secret()]);
    let [kind, made, until, successor] = text.split(':').collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    let [made, until]: [i64; 2] = [made, until].map(|time| time.parse().unwrap());
    assert_eq!(until - made, 60_000);
    let (seconds, micros): (i64, i64) = server.cli(&["TIME"]);
    let left = until - (seconds * 1000 + micros / 1000);
    let pttl: i64 = server.cli(&["PTTL", key.expose_secret()]);
    assert!((50_000..=60_000).contains(&left) && (left - pttl).abs() < 1000, "{left}, {pttl}");
    (kind.to_owned(), successor.to_owned())
}

/// Returns a server, a store, and a live session that expires in an hour.
async fn session() -> (RedisServer, RedisStore, SessionKey) {
    let server = RedisServer::start();
    let store = RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap();
    let key = fresh_key();
    create(&store, &key, &[set("a", "1"), set("b", "1")]).await;
    (server, store, key)
}

/// After a server was a replica, the store checks the role repeatedly.
async fn serves_again(store: &RedisStore, key: &SessionKey) {
    let limit = Instant::now() + Duration::from_secs(20);
    while store.get(key, "a", Refresh::No).await.is_err() {
        assert!(Instant::now() < limit, "timed out waiting for the server");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Checks that the session is as created by [`session`].
async fn is_unchanged(server: &RedisServer, store: &RedisStore, key: &SessionKey) {
    assert_eq!(store.get(key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
    assert_eq!(server.cli::<i64>(&["HLEN", key.expose_secret()]), 3);
    let left: i64 = server.cli(&["PTTL", key.expose_secret()]);
    assert!((3_000_000..=3_600_000).contains(&left), "{left}");
}
