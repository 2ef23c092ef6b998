//! The conformance suite over every store.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::future::ready;
use std::sync::LazyLock;
use std::time::Duration;

use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, RedisStore, SessionKey, SessionStore};
use session_tests::deployment::{Cluster, Sentinel, Servers, Tls};
use session_tests::server::{Make, RedisServer};
use session_tests::store_suite::Subject;

mod memory {
    use super::*;

    session_tests::store_suite!(Memory::new());
    session_tests::field_expiry_suite!(async { Some(Memory::new().await) });

    struct Memory {
        store: MemoryStore,
        clock: ManualClock,
    }

    impl Memory {
        async fn new() -> Self {
            let clock = ManualClock::default();
            Self { store: MemoryStore::with_clock(&clock), clock }
        }
    }

    impl Subject for Memory {
        fn store(&self) -> &dyn SessionStore {
            &self.store
        }

        fn bury(&self, key: &SessionKey, expires_in: Duration) {
            self.store.bury(key, expires_in);
        }

        fn expires_in(&self, key: &SessionKey) -> Option<Duration> {
            self.store.inspect(key).0
        }

        async fn pass(&self, time: Duration) {
            self.clock.advance(time);
        }
    }
}

/// The suite over servers, one deployment for all checks: each has keys and connections of its own.
macro_rules! over_servers {
    ($($name:ident: $servers:expr;)+) => {
        $(mod $name {
            use super::*;

            session_tests::store_suite!(ready(match subject().await {
                Some(subject) => subject,
                None => return,
            }));
            session_tests::field_expiry_suite!(subject());

            async fn subject() -> Option<Redis> {
                static SERVERS: LazyLock<Option<Servers>> = LazyLock::new(|| $servers);
                Some(Redis::on(SERVERS.as_ref()?).await)
            }
        })+
    };
}

over_servers! {
    redis: Some(Servers::One(RedisServer::start()));
    redis_8: RedisServer::start_make(Make::Redis8).map(Servers::One);
    valkey_9: RedisServer::start_make(Make::Valkey9).map(Servers::One);
    tls: Tls::start_open().map(Servers::Tls);
    tls_with_a_client_certificate: Tls::start().map(Servers::Tls);
    sentinel: Some(Servers::Sentinel(Sentinel::start()));
    cluster: Some(Servers::Cluster(Cluster::start()));
    cluster_of_redis_8: Cluster::start_make(Make::Redis8).map(Servers::Cluster);
    cluster_of_valkey_9: Cluster::start_make(Make::Valkey9).map(Servers::Cluster);
}

/// Elsewhere the suite holds it to refusing what it has not.
#[tokio::test]
async fn what_the_newer_servers_have_is_used() {
    for make in [Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let store = RedisStore::connect(&server.url()).await.unwrap();
        assert!(store.expires_fields(), "{make:?}");
    }
}

struct Redis {
    servers: &'static Servers,
    store: RedisStore,
}

impl Redis {
    async fn on(servers: &'static Servers) -> Self {
        let builder = RedisStore::builder(&servers.url()).timeout(Duration::from_secs(20));
        Self { servers, store: builder.connect().await.unwrap() }
    }
}

impl Subject for Redis {
    fn store(&self) -> &dyn SessionStore {
        &self.store
    }

    fn bury(&self, key: &SessionKey, expires_in: Duration) {
        let lifetime = expires_in.as_millis().to_string();
        let _: String = self.servers.cli(&["SET", key.expose_secret(), "", "PX", &lifetime]);
    }

    fn expires_in(&self, key: &SessionKey) -> Option<Duration> {
        let left: i64 = self.servers.cli(&["PTTL", key.expose_secret()]);
        u64::try_from(left).ok().map(Duration::from_millis)
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
