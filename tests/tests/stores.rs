//! The conformance suite over every store.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::sync::OnceLock;
use std::time::Duration;

use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, RedisStore, SessionKey, SessionStore};
use session_tests::server::RedisServer;
use session_tests::store_suite::Subject;

mod memory {
    use super::*;

    session_tests::store_suite!(Memory::new());

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

mod redis_server {
    use super::*;

    session_tests::store_suite!(Redis::new(server().url()));

    /// One server for all checks; each has keys and connections of its own.
    fn server() -> &'static RedisServer {
        static SERVER: OnceLock<RedisServer> = OnceLock::new();
        SERVER.get_or_init(RedisServer::start)
    }

    struct Redis {
        store: RedisStore,
    }

    impl Redis {
        async fn new(url: String) -> Self {
            Self {
                store: RedisStore::builder(&url).timeout(Duration::from_secs(20)).connect().await.unwrap(),
            }
        }
    }

    impl Subject for Redis {
        fn store(&self) -> &dyn SessionStore {
            &self.store
        }

        fn bury(&self, key: &SessionKey, expires_in: Duration) {
            let lifetime = expires_in.as_millis().to_string();
            let _: String = server().cli(&["SET", key.expose_secret(), "", "PX", &lifetime]);
        }

        fn expires_in(&self, key: &SessionKey) -> Option<Duration> {
            let left: i64 = server().cli(&["PTTL", key.expose_secret()]);
            u64::try_from(left).ok().map(Duration::from_millis)
        }

        async fn pass(&self, time: Duration) {
            tokio::time::sleep(time).await;
        }
    }
}
