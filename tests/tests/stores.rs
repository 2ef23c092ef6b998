//! The conformance suite over every store.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::sync::OnceLock;
use std::time::Duration;

use session_runtime::testing::store_suite::Subject;
use session_runtime::testing::{ManualClock, store_suite};
use session_runtime::{MemoryStore, RedisStore, SessionStore};
use session_tests::server::RedisServer;

mod memory {
    use super::*;

    store_suite!(Memory::new());

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

        async fn pass(&self, time: Duration) {
            self.clock.advance(time);
        }
    }
}

mod redis_server {
    use super::*;

    store_suite!(Redis::on(server()));

    mod that_expires_fields {
        use super::*;

        store_suite!(optional: expiring());

        #[tokio::test]
        async fn it_expires_fields() {
            let Some(subject) = expiring().await else { return };
            assert!(subject.store.expires_fields());
        }

        async fn expiring() -> Option<Redis> {
            static SERVER: OnceLock<Option<RedisServer>> = OnceLock::new();
            let server = SERVER.get_or_init(RedisServer::start_expiring_fields).as_ref()?;
            Some(Redis::on(server).await)
        }
    }

    /// One server for all checks; each has keys and connections of its own.
    fn server() -> &'static RedisServer {
        static SERVER: OnceLock<RedisServer> = OnceLock::new();
        SERVER.get_or_init(RedisServer::start)
    }

    struct Redis {
        store: RedisStore,
    }

    impl Redis {
        async fn on(server: &'static RedisServer) -> Self {
            let builder = RedisStore::builder(&server.url()).timeout(Duration::from_secs(20));
            Self { store: builder.connect().await.unwrap() }
        }
    }

    impl Subject for Redis {
        fn store(&self) -> &dyn SessionStore {
            &self.store
        }
    }
}
