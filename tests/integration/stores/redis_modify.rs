//! Reads of several fields and conditional changes of a field on Redis. The tests check the
//! commands, and the results when the server refuses or forgets scripts.

use std::time::{Duration, Instant};

use session_runtime::RedisStore;
use session_runtime::store::{
    Action, Lookup, Modified, Modify, PERMANENT_FIELD, Refresh, SessionKey, SessionStore,
    StoreError, WriteMode,
};
use session_tests::proxy::Proxy;
use session_tests::server::{Make, RedisServer};
use session_tests::store_suite::fresh_key;
use session_tests::store_suite::{add, create, exchange, keeping_times, modify, replace, set};

const MINUTE: Duration = Duration::from_secs(60);
const FAILED: Lookup<Modified> = Lookup::Found(Modified::Swapped(false));

#[tokio::test]
async fn several_fields_are_one_trip_of_plain_commands() {
    let (server, store, key) = session().await;
    let monitor = server.monitor();
    for refresh in
        [Refresh::No, Refresh::To(MINUTE), Refresh::Below { below: MINUTE / 2, expires_in: MINUTE }]
    {
        store.get_many(&key, &["a", "x"], refresh).await.unwrap();
    }
    store.get_many(&key, &[], Refresh::No).await.unwrap();
    let name = key.expose_secret();
    let read = format!(r#""HMGET" "{name}" "a" "x""#);
    let expected = [
        read.clone(),
        read.clone(),
        format!(r#""PEXPIRE" "{name}" "60000""#),
        read,
        format!(r#""PTTL" "{name}""#),
        format!(r#""HMGET" "{name}" """#),
    ];
    assert_eq!(monitor.finish(), expected);
}

/// As with a single field: existing values are returned, and a missing value is an unknown result.
#[tokio::test]
async fn several_fields_are_read_where_the_refresh_is_refused() {
    let (server, store, key) = session().await;
    let _: String = server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let refresh = Refresh::To(MINUTE);
    let read = store.get_many(&key, &["x", "a"], refresh).await.unwrap();
    assert_eq!(read, Lookup::Found(vec![None, Some("1".into())]));
    assert!(store.get_many(&key, &["x", "y"], refresh).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_modification_is_one_script_of_one_key() {
    let (server, store, key) = session().await;
    let name = key.expose_secret();
    let look = |alias| format!(r#"lua "HMGET" "{name}" "" "a" "{alias}""#);
    let expire = format!(r#"lua "PEXPIRE" "{name}" "3600000""#);
    let (set, delete) = (
        |value| format!(r#"lua "HSET" "{name}" "a" "{value}""#),
        |field| format!(r#"lua "HDEL" "{name}" "{field}""#),
    );
    for (alias, action, arguments, writes) in [
        (
            None,
            add(1),
            r#""" "0" "add" "1" "0" "-9223372036854775808" "9223372036854775807""#,
            vec![set("2")],
        ),
        (None, exchange(Some("x"), None), r#""" "0" "compare" "0" "1" "x""#, vec![]),
        (
            Some("b"),
            exchange(Some("2"), Some("3")),
            r#""b" "0" "compare" "0" "1" "2" "3""#,
            vec![set("3"), delete("b")],
        ),
        (Some("b"), replace(Some("4")), r#""b" "0" "replace" "4""#, vec![set("4")]),
        (None, replace(None), r#""" "0" "replace""#, vec![delete("a")]),
        (None, Action::GetOrSet("5".into()), r#""" "0" "get_or_set" "5""#, vec![set("5")]),
    ] {
        let monitor = server.monitor();
        store.modify(&key, Modify { alias, ..modify(action) }).await.unwrap();
        let commands = monitor.finish();
        assert!(commands[0].starts_with(r#""EVALSHA" "#), "{}", commands[0]);
        let sent = format!(r#" "1" "{name}" "3600000" "0" "a" {arguments}"#);
        assert!(commands[0].ends_with(&sent), "{}, not {sent}", commands[0]);
        let carried_out =
            [vec![look(alias.unwrap_or_default())], writes, vec![expire.clone()]].concat();
        assert_eq!(commands[1..], carried_out);
    }
}

/// A server without expiries of fields has nothing to keep.
#[tokio::test]
async fn a_change_that_keeps_times_leaves_them_to_the_millisecond() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let store = RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap();
        let (key, forever) = (fresh_key(), fresh_key());
        create(&store, &key, &[set("a", "1"), set("b", "1")]).await;
        let expires_at = || server.cli::<i64>(&["PEXPIRETIME", key.expose_secret()]);
        let field_expires_at = || {
            let name = key.expose_secret();
            server.cli::<Vec<i64>>(&["HPEXPIRETIME", name, "FIELDS", "2", "a", "b"])
        };
        let before = expires_at();
        if store.supports_field_expiry() {
            let words = ["HPEXPIRE", key.expose_secret(), "3000000", "FIELDS", "1", "a"];
            let _: Vec<i64> = server.cli(&words);
            assert!(field_expires_at()[0] > 0);
        }
        let fields_before = store.supports_field_expiry().then(field_expires_at);
        let swapped = Lookup::Found(Modified::Swapped(true));
        for (expected, new) in [("1", "2"), ("2", "3")] {
            let change = keeping_times(Some(expected), new);
            assert_eq!(store.modify(&key, change).await.unwrap(), swapped);
        }
        assert_eq!(store.modify(&key, keeping_times(Some("1"), "4")).await.unwrap(), FAILED);
        assert_eq!(expires_at(), before);
        assert_eq!(store.supports_field_expiry().then(field_expires_at), fields_before);

        // A session of another program that never expires.
        let name = forever.expose_secret();
        let _: i64 = server.cli(&["HSET", name, "a", "1"]);
        assert_eq!(store.modify(&forever, keeping_times(Some("2"), "3")).await.unwrap(), FAILED);
        assert_eq!(server.cli::<i64>(&["HLEN", name]), 1);
        assert_eq!(store.modify(&forever, keeping_times(Some("1"), "2")).await.unwrap(), swapped);
        assert_eq!(server.cli::<i64>(&["PTTL", name]), -1);
    }
}

/// Checked without the expiry of the field as well, which needs fewer permissions.
#[tokio::test]
async fn a_permission_taken_away_leaves_no_change_that_keeps_times_half_done() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let store = RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap();
        let name_of = |key: &SessionKey| key.expose_secret().to_owned();
        for (command, of_expiring) in [
            ("hmget", false),
            ("hset", false),
            ("hdel", false),
            ("hpttl", false),
            ("hpexpire", true),
        ] {
            let is_for_fields = command.starts_with("hp");
            if is_for_fields && !store.supports_field_expiry() {
                continue;
            }
            for expires in [false, true] {
                let key = fresh_key();
                create(&store, &key, &[set("a", "1"), set("b", "1"), set("former", "1")]).await;
                if expires && store.supports_field_expiry() {
                    let words = ["HPEXPIRE", &name_of(&key), "3000000", "FIELDS", "1", "a"];
                    let _: Vec<i64> = server.cli(&words);
                }
                let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{command}")]);
                let change = Modify { alias: Some("former"), ..keeping_times(Some("1"), "2") };
                let changed = store.modify(&key, change).await;
                let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{command}")]);
                if of_expiring && !expires {
                    assert_eq!(changed.unwrap(), Lookup::Found(Modified::Swapped(true)));
                    continue;
                }
                is_refused(changed);
                for field in ["a", "b", "former"] {
                    let held = store.get(&key, field, Refresh::No).await.unwrap();
                    assert_eq!(held, Lookup::Found(Some("1".into())), "{command}");
                }
                if expires && store.supports_field_expiry() {
                    let left = store.field_expires_in(&key, "a").await.unwrap();
                    assert!(matches!(left, Lookup::Found(Some(_))), "{command}: {left:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_modification_is_sent_again_where_the_script_was_lost() {
    let (server, store, key) = session().await;
    let before = server.counts();
    let _: String = server.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.modify(&key, modify(add(1))).await.unwrap(), sum("2"));
    assert_eq!(store.modify(&key, modify(add(1))).await.unwrap(), sum("3"));
    let counts = server.counts() - before;
    assert_eq!((counts.calls("evalsha"), counts.calls("eval"), counts.calls("hset")), (2, 1, 2));
}

#[tokio::test]
async fn a_lost_reply_to_a_modification_is_unknown_and_it_was_carried_out_once() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let store = RedisStore::builder(&proxy.url()).timeout(MINUTE).connect().await.unwrap();
    let key = fresh_key();
    create(&store, &key, &[set("a", "1")]).await;
    proxy.break_after(0);
    assert!(store.modify(&key, modify(add(1))).await.unwrap_err().is_outcome_unknown());
    assert_eq!(store.modify(&key, modify(add(1))).await.unwrap(), sum("3"));
}

#[tokio::test]
async fn full_memory_stops_no_removal() {
    let (server, store, key) = session().await;
    let python = fresh_key();
    let _: i64 = server.cli(&["HSET", python.expose_secret(), "count", "1"]);
    for setting in [["maxmemory-policy", "noeviction"], ["maxmemory", "1"]] {
        let _: String = server.cli(&["CONFIG", "SET", setting[0], setting[1]]);
    }
    let renamed = Modify { alias: Some("b"), ..modify(exchange(Some("1"), Some("2"))) };
    let kept = keeping_times(Some("1"), "2");
    for growing in [modify(replace(Some("2"))), modify(add(1)), renamed, kept] {
        is_refused(store.modify(&key, growing).await);
        is_unchanged(&server, &store, &key).await;
    }
    // Actions that change nothing need no memory.
    for (action, expected) in [
        (exchange(Some("2"), Some("3")), Modified::Swapped(false)),
        (Action::GetOrSet("2".into()), Modified::Value(Some("1".into()))),
        (Action::AddInteger { by: 1, default: 0, min: 0, max: 1 }, Modified::OutOfRange),
    ] {
        assert_eq!(store.modify(&key, modify(action)).await.unwrap(), Lookup::Found(expected));
    }
    let taken = Lookup::Found(Modified::Value(Some("1".into())));
    assert_eq!(
        store.modify(&key, Modify { alias: Some("b"), ..modify(replace(None)) }).await.unwrap(),
        taken
    );
    assert_eq!(server.cli::<i64>(&["HLEN", key.expose_secret()]), 1);
    for (field, expected) in [("x", None), ("count", Some("1".into()))] {
        let removal = Modify { field, ..modify(replace(None)) };
        assert_eq!(
            store.modify(&python, removal).await.unwrap(),
            Lookup::Found(Modified::Value(expected))
        );
        assert!(server.cli::<bool>(&["HEXISTS", python.expose_secret(), PERMANENT_FIELD]));
    }
}

#[tokio::test]
async fn a_permission_taken_away_leaves_no_modification_half_done() {
    let (server, store, key) = session().await;
    let aliased = |action| Modify { alias: Some("b"), ..modify(action) };
    for (command, refused) in [
        ("hmget", vec![modify(add(1)), modify(replace(None))]),
        ("hset", vec![modify(add(1))]),
        (
            "hdel",
            vec![modify(replace(None)), aliased(add(1)), aliased(exchange(Some("1"), Some("2")))],
        ),
        ("pexpire", vec![modify(add(1)), modify(replace(None)), modify(exchange(None, None))]),
    ] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{command}")]);
        for modify in refused {
            is_refused(store.modify(&key, modify).await);
            is_unchanged(&server, &store, &key).await;
        }
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{command}")]);
    }
    let python = fresh_key();
    let _: i64 = server.cli(&["HSET", python.expose_secret(), "a", "1", "b", "1"]);
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-hset"]);
    is_refused(store.modify(&python, modify(replace(None))).await);
    assert_eq!(server.cli::<i64>(&["HLEN", python.expose_secret()]), 2);
}

#[tokio::test]
async fn a_server_that_takes_no_writes_modifies_nothing() {
    let (server, store, key) = session().await;
    for [refuse, accept] in [
        [
            &["CONFIG", "SET", "min-replicas-to-write", "1"][..],
            &["CONFIG", "SET", "min-replicas-to-write", "0"],
        ],
        [&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]],
    ] {
        let _: String = server.cli(refuse);
        let modifications = [add(1), replace(None), exchange(None, None)].map(modify);
        let kept = [keeping_times(Some("1"), "2"), keeping_times(Some("2"), "3")];
        for modify in modifications.into_iter().chain(kept) {
            let error = store.modify(&key, modify).await.unwrap_err();
            assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
        }
        let _: String = server.cli(accept);
        // After a server was a replica, the store checks the role repeatedly.
        let limit = Instant::now() + Duration::from_secs(20);
        while store.get(&key, "a", Refresh::No).await.is_err() {
            assert!(Instant::now() < limit, "timed out waiting for the server");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        is_unchanged(&server, &store, &key).await;
    }
}

/// The session gets a permanent field and an expiry, whatever the result of the modification.
#[tokio::test]
async fn a_session_of_another_program_is_modified_as_ours() {
    let (server, store, _) = session().await;
    for (action, expected, length) in [
        (add(1), Modified::Sum("2".into()), 2),
        (replace(None), Modified::Value(Some("1".into())), 1),
        (exchange(None, Some("2")), Modified::Swapped(false), 2),
    ] {
        for mode in [WriteMode::Existing, WriteMode::Create] {
            let key = fresh_key();
            let name = key.expose_secret();
            let _: i64 = server.cli(&["HSET", name, "count", "1"]);
            let modify = Modify { mode, field: "count", ..modify(action.clone()) };
            assert_eq!(store.modify(&key, modify).await.unwrap(), Lookup::Found(expected.clone()));
            assert!(server.cli::<bool>(&["HEXISTS", name, PERMANENT_FIELD]));
            assert_eq!(server.cli::<i64>(&["HLEN", name]), length);
            assert!(server.cli::<i64>(&["PTTL", name]) > 0);
        }
    }
}

/// A key of any other type is left alone.
#[tokio::test]
async fn a_key_that_is_no_session_is_not_modified() {
    let (server, store, _) = session().await;
    let list = fresh_key();
    let _: i64 = server.cli(&["RPUSH", list.expose_secret(), "1"]);
    for mode in [WriteMode::Existing, WriteMode::Create] {
        let modify = Modify { mode, ..modify(replace(None)) };
        assert_eq!(store.modify(&list, modify).await.unwrap(), Lookup::Dead);
    }
    assert_eq!(server.cli::<i64>(&["PTTL", list.expose_secret()]), -1);
}

/// Returns a server, a store, and a live session that expires in an hour.
async fn session() -> (RedisServer, RedisStore, SessionKey) {
    let server = RedisServer::start();
    let store = RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap();
    let key = fresh_key();
    create(&store, &key, &[set("a", "1"), set("b", "1")]).await;
    (server, store, key)
}

/// Checks that the session is as created by [`session`].
async fn is_unchanged(server: &RedisServer, store: &RedisStore, key: &SessionKey) {
    for field in ["a", "b"] {
        assert_eq!(
            store.get(key, field, Refresh::No).await.unwrap(),
            Lookup::Found(Some("1".into()))
        );
    }
    assert_eq!(server.cli::<i64>(&["HLEN", key.expose_secret()]), 3);
    let left: i64 = server.cli(&["PTTL", key.expose_secret()]);
    assert!((3_000_000..=3_600_000).contains(&left), "{left}");
}

fn is_refused(report: Result<Lookup<Modified>, StoreError>) {
    let error = report.unwrap_err();
    assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
}

fn sum(text: &'static str) -> Lookup<Modified> {
    Lookup::Found(Modified::Sum(text.into()))
}
