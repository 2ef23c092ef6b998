//! Rotations that change fields in the same step, on Redis servers that refuse commands.

use std::time::Duration;

use session_runtime::RedisStore;
use session_runtime::store::{
    Change, Lookup, PERMANENT_FIELD, Refresh, Rotation, SessionKey, SessionStore,
};
use session_runtime::testing::store_suite::{
    Successor, assert_is_dead, create, fresh_key, remove, set,
};
use session_tests::server::{Make, RedisServer};

async fn session() -> (RedisServer, RedisStore, SessionKey) {
    session_on(RedisServer::start()).await
}

async fn session_on(server: RedisServer) -> (RedisServer, RedisStore, SessionKey) {
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let key = fresh_key();
    create(&store, &key, &[set("a", "1"), set("b", "1")]).await;
    (server, store, key)
}

async fn assert_unchanged(
    server: &RedisServer,
    store: &RedisStore,
    key: &SessionKey,
    successor: &Successor,
) {
    let values = store.get_many(key, &["a", "b", "user"], Refresh::No).await.unwrap();
    assert_eq!(values, Lookup::Found(vec![Some("1".into()), Some("1".into()), None]));
    assert_eq!(server.cli::<i64>(&["EXISTS", successor.key.expose_secret()]), 0);
    assert!(server.cli::<i64>(&["PTTL", key.expose_secret()]) > 0);
}

#[tokio::test]
async fn a_full_server_refuses_a_login_before_anything_changes() {
    let (server, store, key) = session().await;
    let (refused, moved) = (Successor::fresh(), Successor::fresh());
    for setting in [["maxmemory-policy", "noeviction"], ["maxmemory", "1"]] {
        let _: String = server.cli(&["CONFIG", "SET", setting[0], setting[1]]);
    }
    let changes = [set("user", "42"), remove("b")];
    let login = Rotation { changes: &changes, keep_only: Some(&[]), ..refused.rotation() };
    let error = store.rotate(&key, login).await.unwrap_err();
    assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    assert_unchanged(&server, &store, &key, &refused).await;
    let changes = [remove("b")];
    let removal = Rotation { changes: &changes, keep_only: Some(&[]), ..moved.rotation() };
    assert_eq!(store.rotate(&key, removal).await.unwrap(), Lookup::Found(()));
    assert_is_dead(&store, &key).await;
    let left: Vec<String> = server.cli(&["HKEYS", moved.key.expose_secret()]);
    assert_eq!(left, [PERMANENT_FIELD]);
}

#[tokio::test]
async fn a_missing_permission_refuses_a_login_before_anything_changes() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let (server, store, key) = session_on(server).await;
        let successor = Successor::fresh();
        let ttl = store.supports_field_expiry().then_some(Duration::from_secs(60));
        let changes = [Change::Set { field: "user", value: "42".into(), ttl }, remove("b")];
        let login = Rotation { changes: &changes, keep_only: Some(&[]), ..successor.rotation() };
        let always = ["hset", "hdel", "hkeys", "hmget", "rename", "set", "pexpire", "time"];
        for command in always.into_iter().chain(ttl.map(|_| "hpexpire")) {
            let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{command}")]);
            let error = store.rotate(&key, login).await.unwrap_err();
            assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{command}: {error:?}");
            let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{command}")]);
            assert_unchanged(&server, &store, &key, &successor).await;
        }
        assert_eq!(store.rotate(&key, login).await.unwrap(), Lookup::Found(()));
    }
}

/// Without the permanent field, the removal of all fields would delete the hash.
#[tokio::test]
async fn a_session_of_another_program_survives_the_removal_of_all_fields() {
    let (server, store, _) = session().await;
    for changes in [&[][..], &[remove("a")], &[set("user", "42")]] {
        let (key, successor) = (fresh_key(), Successor::fresh());
        let _: i64 = server.cli(&["HSET", key.expose_secret(), "a", "1", "b", "1"]);
        let login = Rotation { changes, keep_only: Some(&[]), ..successor.rotation() };
        assert_eq!(store.rotate(&key, login).await.unwrap(), Lookup::Found(()));
        assert_is_dead(&store, &key).await;
        let mut left: Vec<String> = server.cli(&["HKEYS", successor.key.expose_secret()]);
        left.retain(|field| field != "user");
        assert_eq!(left, [PERMANENT_FIELD]);
        assert!(server.cli::<i64>(&["PTTL", successor.key.expose_secret()]) > 0);
    }
}
