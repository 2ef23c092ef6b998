//! The conformance suite over every store.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::sync::OnceLock;
use std::time::Duration;

use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, RedisStore, SessionKey, SessionStore};
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

mod redis_server {
    use super::*;

    session_tests::store_suite!(Redis::on(server()));

    /// Where fields cannot expire, that they are refused.
    mod field_expiry {
        use super::*;

        session_tests::field_expiry_suite!(async { Some(Redis::on(server()).await) });
    }

    mod field_expiry_on_a_server_that_has_it {
        use super::*;

        session_tests::field_expiry_suite!(expiring());

        #[tokio::test]
        async fn the_server_has_it() {
            let Some(subject) = expiring().await else { return };
            assert!(subject.store.expires_fields());
        }

        async fn expiring() -> Option<Redis> {
            static SERVER: OnceLock<Option<RedisServer>> = OnceLock::new();
            let server = SERVER.get_or_init(|| RedisServer::start_make(Make::Redis8)).as_ref()?;
            Some(Redis::on(server).await)
        }
    }

    /// One server for all checks; each has keys and connections of its own.
    fn server() -> &'static RedisServer {
        static SERVER: OnceLock<RedisServer> = OnceLock::new();
        SERVER.get_or_init(RedisServer::start)
    }

    struct Redis {
        server: &'static RedisServer,
        store: RedisStore,
    }

    impl Redis {
        async fn on(server: &'static RedisServer) -> Self {
            let builder = RedisStore::builder(&server.url()).timeout(Duration::from_secs(20));
            Self { server, store: builder.connect().await.unwrap() }
        }
    }

    impl Subject for Redis {
        fn store(&self) -> &dyn SessionStore {
            &self.store
        }

        fn bury(&self, key: &SessionKey, expires_in: Duration) {
            let lifetime = expires_in.as_millis().to_string();
            let _: String = self.server.cli(&["SET", key.expose_secret(), "", "PX", &lifetime]);
        }

        fn expires_in(&self, key: &SessionKey) -> Option<Duration> {
            let left: i64 = self.server.cli(&["PTTL", key.expose_secret()]);
            u64::try_from(left).ok().map(Duration::from_millis)
        }

        async fn pass(&self, time: Duration) {
            tokio::time::sleep(time).await;
        }
    }
}
