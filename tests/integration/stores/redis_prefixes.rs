//! Reads of all fields under a prefix on Redis: the commands, foreign fields, and refusals.

use std::time::Duration;

use session_runtime::store::{Lookup, Refresh, SessionKey, SessionStore, StoreError};
use session_runtime::{Bytes, RedisStore, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use session_tests::store_suite::{create, fresh_key, set};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn all_fields_under_a_prefix_are_one_trip_of_plain_commands() {
    let (server, store, key) = session().await;
    let monitor = server.monitor();
    let below = Refresh::Below { below: MINUTE / 2, expires_in: MINUTE };
    for refresh in [Refresh::No, Refresh::To(MINUTE), below] {
        store.get_all(&key, "p[1].", refresh).await.unwrap();
    }
    let name = key.expose_secret();
    let read = format!(r#""HSCAN" "{name}" "0" "MATCH" "p\\[1\\].*" "COUNT" "100000000""#);
    let expected = [
        read.clone(),
        read.clone(),
        format!(r#""PEXPIRE" "{name}" "60000""#),
        read,
        format!(r#""PTTL" "{name}""#),
    ];
    assert_eq!(monitor.finish(), expected);
}

/// Another program wrote the name, and the store wrote the label of the session.
#[tokio::test]
async fn fields_of_other_programs_and_of_the_store_are_left_out() {
    let (server, store, key) = session().await;
    let mut write = redis::cmd("HSET");
    write.arg(key.expose_secret()).arg(b"p.\xff").arg("1").arg("\0").arg("{}");
    write.exec(&mut server.connection()).unwrap();
    let text = |name: &str, value: &str| (name.to_owned(), Bytes::from(value.to_owned()));
    let mut all = all_under(&store, &key, "").await.unwrap();
    all.sort();
    assert_eq!(all, [text("", ""), text("p.a", "1"), text("q.a", "1")]);
    assert_eq!(all_under(&store, &key, "p.").await.unwrap(), [text("p.a", "1")]);
    assert_eq!(all_under(&store, &key, "\0").await.unwrap(), []);
}

/// As with a single field: existing values are returned, and no value is an unknown result.
#[tokio::test]
async fn fields_are_read_where_the_refresh_is_refused() {
    let (server, store, key) = session().await;
    let _: String = server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    assert_eq!(all_under(&store, &key, "p.").await.unwrap().len(), 1);
    assert!(all_under(&store, &key, "x.").await.unwrap_err().is_unavailable());
    let _: String = server.cli(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(all_under(&store, &key, "p.").await.unwrap().len(), 1);
}

/// The start names what is missing, and so does an operation if the permission is taken later.
#[tokio::test]
async fn a_missing_permission_is_named() {
    let (server, store, key) = session().await;
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-hscan"]);
    let error = all_under(&store, &key, "p.").await.unwrap_err();
    assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    assert!(format!("{error:?} {error}").contains("NOPERM"), "{error:?}");
    assert_eq!(store.get(&key, "p.a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let error = Sessions::new(config).await.unwrap_err();
    assert!(error.is_config() && error.to_string().ends_with(" +hscan"), "{error}");
}

/// Reads with a refresh.
async fn all_under(
    store: &RedisStore,
    key: &SessionKey,
    prefix: &str,
) -> Result<Vec<(String, Bytes)>, StoreError> {
    match store.get_all(key, prefix, Refresh::To(MINUTE)).await? {
        Lookup::Found(fields) => Ok(fields),
        other => panic!("the session is live, not {other:?}"),
    }
}

/// Starts a server with a session.
async fn session() -> (RedisServer, RedisStore, SessionKey) {
    let server = RedisServer::start();
    let store = RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap();
    let key = fresh_key();
    create(&store, &key, &[set("p.a", "1"), set("q.a", "1")]).await;
    (server, store, key)
}
