//! The round trips and the cookie of every operation in every state, through `Session`.
//!
//! Each cell has the number of round trips, and the cookie that the response sets or removes. The
//! tables of `lifecycle/` have the results. `WRITE_TABLES=FOLDER` writes the current tables.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use session_runtime::store::{
    BoxFuture, Destroyed, Destruction, Lookup, Modified, Modify, Refresh, Rotation, SessionKey,
    SessionStore, StoreError, Tombstone, Write,
};
use session_runtime::testing::ManualClock;
use session_runtime::{
    Bytes, Error, Lifetime, MemoryStore, Session, SessionConfig, SessionHandle, Sessions,
};
use session_tests::cookies::{self, SECRET};

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

const OPERATIONS: [&str; 15] = [
    "get",
    "has",
    "exists",
    "touch",
    "expires_in",
    "end_reason",
    "form_token",
    "check_form",
    "set",
    "remove",
    "clear",
    "rotate",
    "renew",
    "login",
    "destroy",
];

const STATES: [&str; 17] = [
    "absent",
    "stale cookie",
    "creation lost",
    "creation lost, done",
    "candidate",
    "stale, then live",
    "ended, then live",
    "ended cookie",
    "rotated cookie",
    "live",
    "live, unrefreshed",
    "rotation lost",
    "rotation lost, done",
    "live, ended",
    "live, rotated",
    "live, expired",
    "destroyed here",
];

#[tokio::test]
async fn before_the_headers() {
    assert_table("costs-before.txt", include_str!("costs-before.txt"), false).await;
}

#[tokio::test]
async fn after_the_headers() {
    assert_table("costs-after.txt", include_str!("costs-after.txt"), true).await;
}

async fn assert_table(name: &str, expected: &str, headers_sent: bool) {
    let actual = table(headers_sent).await;
    if let Ok(folder) = std::env::var("WRITE_TABLES") {
        std::fs::write(format!("{folder}/{name}"), &actual).unwrap();
    }
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

async fn table(headers_sent: bool) -> String {
    let mut table = format!("{:21}", "");
    for operation in OPERATIONS {
        write!(table, "{operation:<12}").unwrap();
    }
    for state in STATES {
        table = format!("{}\n{state:<21}", table.trim_end());
        for operation in OPERATIONS {
            let cell = cell(state, operation, headers_sent).await;
            write!(table, "{cell:<12}").unwrap();
        }
    }
    table.trim_end().to_owned() + "\n"
}

async fn cell(state: &str, operation: &str, headers_sent: bool) -> String {
    let world = World::new();
    let handle = world.request(state).await;
    if headers_sent {
        let _ = handle.finish();
    }
    let before = world.store.trips();
    carry_out(&handle.session(), operation).await;
    let trips = world.store.trips() - before;
    let headers = handle.finish();
    let cookie = match headers.set_cookie() {
        _ if headers_sent => "",
        None => "",
        Some(cookie) if cookies::id_of(cookie).is_empty() => " removal",
        Some(_) => " cookie",
    };
    format!("{trips}{cookie}")
}

async fn login(session: &Session<Visitor>) -> Result<(), Error> {
    let batch = session.write().set(session.count(), 2).keep_only(());
    batch.renew(Lifetime::remembered()).commit().await
}

/// Carries out an operation. The result is ignored, because the life-cycle tables cover the
/// results.
async fn carry_out(session: &Session<Visitor>, operation: &str) {
    match operation {
        "get" => drop(session.count().await),
        "has" => drop(session.count().exists().await),
        "exists" => drop(session.exists().await),
        "touch" => drop(session.touch().await),
        "expires_in" => drop(session.expires_in().await),
        "end_reason" => drop(session.end_reason().await),
        "form_token" => drop(session.form_token().await),
        "check_form" => drop(session.check_form_token("forged").await),
        "set" => drop(session.set_count(2).await),
        "remove" => drop(session.count().remove().await),
        "clear" => drop(session.clear().await),
        "rotate" => drop(session.rotate().await),
        "renew" => drop(session.renew(Lifetime::remembered()).await),
        "login" => drop(login(session).await),
        "destroy" => drop(session.destroy().await),
        other => panic!("no operation {other}"),
    }
}

struct World {
    store: LossyStore,
    clock: ManualClock,
    sessions: Sessions,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let store = LossyStore { memory: MemoryStore::with_clock(&clock), network: Arc::default() };
        let config = SessionConfig::new().secret(SECRET);
        let sessions = Sessions::with_store(config, store.clone()).unwrap().with_clock(&clock);
        Self { store, clock, sessions }
    }

    /// Returns a request in this state.
    async fn request(&self, state: &str) -> SessionHandle {
        let stale = cookies::cookie(&cookies::id(self.clock.now(), 0));
        match state {
            "absent" => self.sessions.open([]),
            "stale cookie" => self.open(&stale),
            "creation lost" | "creation lost, done" => {
                let handle = self.sessions.open([]);
                self.store.lose_next(state.ends_with("done"));
                assert!(
                    handle
                        .session::<Visitor>()
                        .set_count(1)
                        .await
                        .unwrap_err()
                        .is_outcome_unknown()
                );
                handle
            }
            "candidate" => self.open(&self.visitor().await),
            "stale, then live" => self.open(&format!("{stale}; {}", self.visitor().await)),
            "ended, then live" => {
                let ended = self.visitor().await;
                self.end(&ended).await;
                self.open(&format!("{ended}; {}", self.visitor().await))
            }
            "ended cookie" => {
                let cookie = self.visitor().await;
                self.end(&cookie).await;
                self.open(&cookie)
            }
            "rotated cookie" => {
                let cookie = self.visitor().await;
                self.open(&cookie).session::<Visitor>().rotate().await.unwrap();
                self.open(&cookie)
            }
            "live, unrefreshed" => {
                let handle = self.open(&self.visitor().await);
                handle.session::<Visitor>().expires_in().await.unwrap();
                handle
            }
            _ => self.live_request(state).await,
        }
    }

    /// Returns a request that has read the session.
    async fn live_request(&self, state: &str) -> SessionHandle {
        let cookie = self.visitor().await;
        let handle = self.open(&cookie);
        let session = handle.session::<Visitor>();
        assert_eq!(session.count().await.unwrap(), 1);
        match state {
            "live" => {}
            "rotation lost" | "rotation lost, done" => {
                self.store.lose_next(state.ends_with("done"));
                assert!(session.rotate().await.unwrap_err().is_outcome_unknown());
            }
            "live, ended" => self.end(&cookie).await,
            "live, rotated" => self.open(&cookie).session::<Visitor>().rotate().await.unwrap(),
            "live, expired" => self.clock.advance(Duration::from_secs(2 * 24 * 3600)),
            "destroyed here" => session.destroy().await.unwrap(),
            other => panic!("no state {other}"),
        }
        handle
    }

    fn open(&self, cookies: &str) -> SessionHandle {
        self.sessions.open([cookies.as_bytes()])
    }

    /// Returns the cookie of a new session.
    async fn visitor(&self) -> String {
        let handle = self.sessions.open([]);
        handle.session::<Visitor>().set_count(1).await.unwrap();
        handle.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned()
    }

    async fn end(&self, cookie: &str) {
        self.open(cookie).session::<Visitor>().destroy().await.unwrap();
    }
}

/// A memory store behind a network that counts requests and drops messages on demand.
#[derive(Clone, Debug)]
struct LossyStore {
    memory: MemoryStore,
    network: Arc<Network>,
}

#[derive(Debug, Default)]
struct Network {
    trips: AtomicUsize,
    loses_command: AtomicBool,
    loses_reply: AtomicBool,
}

impl LossyStore {
    fn trips(&self) -> usize {
        self.network.trips.load(Ordering::Relaxed)
    }

    /// Drops the reply to the next operation that changes data, or the command.
    fn lose_next(&self, is_done: bool) {
        let lost = if is_done { &self.network.loses_reply } else { &self.network.loses_command };
        lost.store(true, Ordering::Relaxed);
    }

    fn read<'a, T: 'a>(
        &'a self,
        read: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        self.network.trips.fetch_add(1, Ordering::Relaxed);
        read
    }

    fn change<'a, T: Send + 'a>(
        &'a self,
        change: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        self.network.trips.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let is_set = |flag: &AtomicBool| flag.swap(false, Ordering::Relaxed);
            if is_set(&self.network.loses_command) {
                return Err(StoreError::outcome_unknown("the command was lost"));
            }
            let reply = change.await;
            if is_set(&self.network.loses_reply) {
                return Err(StoreError::outcome_unknown("the reply was lost"));
            }
            reply
        })
    }
}

impl SessionStore for LossyStore {
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>> {
        self.read(self.memory.get(key, field, refresh))
    }

    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        self.read(self.memory.contains(key, field, refresh))
    }

    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>> {
        self.change(self.memory.write(key, write))
    }

    fn expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>> {
        self.read(self.memory.expires_in(key))
    }

    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>> {
        self.change(self.memory.rotate(key, rotation))
    }

    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>> {
        self.change(self.memory.destroy(key, destruction))
    }

    fn tombstone<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Tombstone>, StoreError>> {
        self.read(self.memory.tombstone(key))
    }

    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        fields: &'a [&'a str],
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>> {
        self.read(self.memory.get_many(key, fields, refresh))
    }

    fn get_all<'a>(
        &'a self,
        key: &'a SessionKey,
        prefix: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<(String, Bytes)>>, StoreError>> {
        self.read(self.memory.get_all(key, prefix, refresh))
    }

    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>> {
        self.change(self.memory.modify(key, modify))
    }

    fn field_expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>> {
        self.read(self.memory.field_expires_in(key, field))
    }

    fn expire_field<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        ttl: Duration,
        expires_in: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        self.change(self.memory.expire_field(key, field, ttl, expires_in))
    }

    fn supports_field_expiry(&self) -> bool {
        self.memory.supports_field_expiry()
    }

    fn supports_changes_in_rotation(&self) -> bool {
        true
    }

    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>> {
        self.memory.time()
    }
}
