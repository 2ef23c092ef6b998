//! Finding the server of a session: with TLS, behind Sentinel, and in a cluster.

mod cluster;
mod login;
mod sentinel;
mod tls;

use std::time::{Duration, Instant};

use session_runtime::store::{Lookup, Refresh, SessionKey, SessionStore};
use session_runtime::{Error, RedisStore, SessionId};
use session_tests::cookies;
use session_tests::server::RedisServer;
use session_tests::store_suite::{create, set};

const HOUR: Duration = Duration::from_secs(3600);

async fn connect(url: &str) -> Result<RedisStore, Error> {
    RedisStore::builder(url).timeout(Duration::from_secs(10)).connect().await
}

/// Returns a key with a new tag, so that keys spread over the slots.
fn fresh_key() -> SessionKey {
    let id = cookies::id(std::time::SystemTime::now(), 0);
    SessionKey::new("test", &SessionId::parse(&id).unwrap())
}

/// Returns the key of a live session with the field `a`.
async fn session(store: &RedisStore) -> SessionKey {
    let key = fresh_key();
    create(store, &key, &[set("a", "1")]).await;
    key
}

async fn assert_serves(store: &RedisStore, key: &SessionKey) {
    assert_eq!(
        store.get(key, "a", Refresh::To(HOUR)).await.unwrap(),
        Lookup::Found(Some("1".into()))
    );
}

async fn serves_again(store: &RedisStore, key: &SessionKey) {
    let limit = Instant::now() + Duration::from_secs(20);
    while store.get(key, "a", Refresh::To(HOUR)).await.is_err() {
        assert!(Instant::now() < limit, "timed out waiting for the store");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_serves(store, key).await;
}

/// Checks that no session command was sent to the replica. Writes from the master do not count.
fn assert_was_not_asked(replica: &RedisServer) {
    for command in ["hget", "hmget", "hexists", "evalsha", "eval"] {
        assert_eq!(replica.counts().calls(command), 0, "{command}");
    }
}
