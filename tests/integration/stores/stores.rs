//! The conformance suite over every store.

use std::sync::LazyLock;
use std::time::Duration;

use session_runtime::store::SessionStore;
use session_runtime::testing::store_suite::StoreUnderTest;
use session_runtime::testing::{FailingStore, ManualClock, store_suite};
use session_runtime::{MemoryStore, RedisStore};
use session_tests::deployment::{Cluster, Deployment, Sentinel, Tls};
use session_tests::server::{Make, RedisServer};

mod memory {
    use super::*;

    store_suite!(OnMemory::new(|memory| memory));
}

/// A `FailingStore` without any failure.
mod failing {
    use super::*;

    store_suite!(OnMemory::new(FailingStore::new));
}

struct OnMemory<S> {
    store: S,
    clock: ManualClock,
}

impl<S> OnMemory<S> {
    async fn new(around: impl FnOnce(MemoryStore) -> S) -> Self {
        let clock = ManualClock::default();
        Self { store: around(MemoryStore::with_clock(&clock)), clock }
    }
}

impl<S: SessionStore> StoreUnderTest for OnMemory<S> {
    fn store(&self) -> &dyn SessionStore {
        &self.store
    }

    async fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }
}

/// Runs the suite over servers. All checks share a deployment, with separate keys and connections.
macro_rules! over_servers {
    ($($name:ident: $servers:expr;)+) => {
        $(mod $name {
            use super::*;

            store_suite!(optional: subject());

            async fn subject() -> Option<Redis> {
                static SERVERS: LazyLock<Option<Deployment>> = LazyLock::new(|| $servers);
                Some(Redis::connect(SERVERS.as_ref()?).await)
            }
        })+
    };
}

over_servers! {
    redis: Some(Deployment::One(RedisServer::start()));
    redis_8: RedisServer::start_make(Make::Redis8).map(Deployment::One);
    valkey_9: RedisServer::start_make(Make::Valkey9).map(Deployment::One);
    tls: Tls::start_open().map(Deployment::Tls);
    tls_with_a_client_certificate: Tls::start().map(Deployment::Tls);
    sentinel: Some(Deployment::Sentinel(Sentinel::start()));
    cluster: Some(Deployment::Cluster(Cluster::start()));
    cluster_of_redis_8: Cluster::start_make(Make::Redis8).map(Deployment::Cluster);
    cluster_of_valkey_9: Cluster::start_make(Make::Valkey9).map(Deployment::Cluster);
}

/// On other servers, the suite checks that unsupported features are refused.
#[tokio::test]
async fn features_of_newer_servers_are_used() {
    for make in [Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let store = RedisStore::connect(&server.url()).await.unwrap();
        assert!(store.supports_field_expiry(), "{make:?}");
    }
}

struct Redis {
    store: RedisStore,
}

impl Redis {
    async fn connect(servers: &Deployment) -> Self {
        let builder = RedisStore::builder(&servers.url()).timeout(Duration::from_secs(20));
        Self { store: builder.connect().await.unwrap() }
    }
}

impl StoreUnderTest for Redis {
    fn store(&self) -> &dyn SessionStore {
        &self.store
    }
}
