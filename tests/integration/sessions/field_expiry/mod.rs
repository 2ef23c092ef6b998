//! Fields with an expiry, through sessions: in memory, on servers with support, and the errors on
//! servers without.

mod refusal;
mod rule;
mod single;

use std::sync::LazyLock;
use std::time::Duration;

use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, RedisStore, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Cluster;
use session_tests::server::{Make, RedisServer};
use session_tests::until;

macro_rules! over_every_store {
    ($($module:ident { $($behaviour:ident)+ })+) => {
        over_every_store!(@store memory $($module { $($behaviour)+ })+);
        over_every_store!(@store redis_8 $($module { $($behaviour)+ })+);
        over_every_store!(@store valkey_9 $($module { $($behaviour)+ })+);
        over_every_store!(@store cluster $($module { $($behaviour)+ })+);
    };
    (@store $store:ident $($module:ident { $($behaviour:ident)+ })+) => {
        mod $store {
            $(mod $module {
                $(#[tokio::test]
                async fn $behaviour() {
                    let Some(world) = super::super::World::$store().await else { return };
                    super::super::$module::$behaviour(world).await;
                })+
            })+
        }
    };
}

over_every_store! {
    single {
        a_field_gets_an_expiry
        an_expired_field_reads_as_its_default
        a_setter_ends_an_expiry
        expiries_create_no_session
        an_expiry_of_zero_is_refused
        less_than_a_millisecond_is_one
        expire_in_refreshes_the_session
        expires_in_refreshes_nothing
        an_expiry_moves_with_the_session
        a_dead_session_is_gone
        every_schema_is_supported
    }
    rule {
        a_setter_gives_the_expiry_and_gives_it_again
        every_write_keeps_the_rule
        save_and_batches_keep_the_rule
        other_fields_have_no_expiry
        expire_in_counts_until_the_next_write
        a_field_with_a_rule_expires_and_the_session_lives_on
        a_flash_message_is_taken_once
        reads_leave_the_expiry
    }
}

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
    #[session(default = "none".to_owned())]
    code: String,
}

#[derive(Debug, Session)]
struct Flash {
    #[session(ttl = "5m")]
    tries: u32,
    #[session(ttl = "5m")]
    notice: Option<String>,
    #[session(ttl = "40ms")]
    short: String,
    name: String,
}

/// A program, the store, and the passing of time.
struct World {
    sessions: Sessions,
    /// The clock of a memory store. A server has a separate clock.
    clock: Option<ManualClock>,
    /// The test's own server, which stops with the test.
    server: Option<RedisServer>,
}

impl World {
    async fn memory() -> Option<Self> {
        let clock = ManualClock::default();
        let sessions = sessions(MemoryStore::with_clock(&clock));
        Some(Self { sessions, clock: Some(clock), server: None })
    }

    async fn redis_8() -> Option<Self> {
        Some(Self::with_server(RedisServer::start_make(Make::Redis8)?).await)
    }

    async fn valkey_9() -> Option<Self> {
        Some(Self::with_server(RedisServer::start_make(Make::Valkey9)?).await)
    }

    /// Returns a cluster shared by all tests. Each test has separate sessions.
    async fn cluster() -> Option<Self> {
        static CLUSTER: LazyLock<Option<Cluster>> =
            LazyLock::new(|| Cluster::start_make(Make::Valkey9));
        Some(Self { sessions: connect(&CLUSTER.as_ref()?.url()).await, clock: None, server: None })
    }

    async fn with_server(server: RedisServer) -> Self {
        Self { sessions: connect(&server.url()).await, clock: None, server: Some(server) }
    }

    async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }

    async fn until_reconnected(&self) {
        let is_reached = async || self.sessions.create::<Visitor>().await.is_ok();
        until("the store to be reached again", is_reached).await;
    }

    /// Returns the session of a new visitor.
    async fn begin<S: session_runtime::Schema>(&self) -> (Session<S>, SessionId) {
        let session = self.sessions.create::<S>().await.unwrap();
        let id = session.session_id().unwrap();
        (session, id)
    }
}

async fn connect(url: &str) -> Sessions {
    sessions(RedisStore::builder(url).timeout(Duration::from_secs(20)).connect().await.unwrap())
}

fn sessions(store: impl session_runtime::store::SessionStore) -> Sessions {
    Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap()
}

/// Checks that the time left is less than expected, by at most a minute.
fn assert_about(left: Option<Duration>, expected: Duration) {
    assert!(
        left.is_some_and(|left| left <= expected && left + MINUTE > expected),
        "{left:?}, not {expected:?}"
    );
}
