//! A store that fails on demand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::store::{
    Action, BoxFuture, ConnectionState, DestroyReason, Destroyed, Destruction, Ending, IndexKey,
    IndexProof, Listing, Look, Lookup, MissingEntry, Modified, Modify, Refresh, Rotation, Scan,
    ScanPage, Seen, SessionIndex, SessionKey, SessionStore, Stale, StoreError, Tombstone, Write,
};

/// A store that fails on demand, and otherwise passes operations on to another store. Clones fail
/// together.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!({
/// use session_runtime::testing::{Browser, FailingStore, Failure};
/// use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};
///
/// #[derive(Session)]
/// struct Visitor {
///     count: u64,
/// }
///
/// let store = FailingStore::new(MemoryStore::new());
/// let secret = "hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625";
/// let sessions = Sessions::with_store(SessionConfig::new().secret(secret), store.clone())?;
/// let mut browser = Browser::new(&sessions);
/// browser.visit(async |session: Session<Visitor>| session.set_count(1).await).await?;
///
/// let count = async |session: Session<Visitor>| session.count().await;
/// store.fail(Failure::Unavailable);
/// assert!(browser.visit(count).await.unwrap_err().is_unavailable());
///
/// store.recover();
/// assert_eq!(browser.visit(count).await?, 1);
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct FailingStore {
    store: Arc<dyn SessionStore>,
    plan: Arc<Mutex<Plan>>,
}

/// The failure, and the number of operations before it.
#[derive(Debug, Default)]
struct Plan {
    failure: Option<Failure>,
    succeeding: usize,
}

/// The way in which a [`FailingStore`] fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No operation is carried out. Each fails with
    /// [`is_unavailable`](crate::Error::is_unavailable).
    Unavailable,
    /// No reply comes. Reads fail as unavailable, and writes fail with
    /// [`is_outcome_unknown`](crate::Error::is_outcome_unknown).
    OutcomeUnknown {
        /// `true` if writes are carried out without a reply.
        carried_out: bool,
    },
    /// Reads succeed, and the store refuses writes, like a Redis server that is full or lacks
    /// permissions. The error of a write matches none of the `is_…` methods, and becomes a 500.
    Refused,
    /// Another request ends the session just before the operation. Reads return defaults, and
    /// writes fail with [`is_gone`](crate::Error::is_gone). A session that is being created does
    /// not end.
    Gone,
    /// Another request changes the field just before the comparison.
    /// [`compare_and_set`](crate::Field::compare_and_set) returns `false`, and
    /// [`update`](crate::Field::update) fails with [`is_contended`](crate::Error::is_contended)
    /// after the last attempt.
    Contended,
}

impl FailingStore {
    /// Creates a store that does not fail yet.
    pub fn new(store: impl SessionStore) -> Self {
        Self { store: Arc::new(store), plan: Arc::default() }
    }

    /// Makes every operation that starts from now on fail in this way.
    pub fn fail(&self, failure: Failure) {
        self.fail_after(0, failure);
    }

    /// Makes all operations fail in this way after this many have started, until
    /// [`recover`](Self::recover).
    ///
    /// Use this for calls of several steps, such as the end of all sessions of a user. The number
    /// counts operations of the store, and a later version may need another number of them. So
    /// fail each step in turn, until the call succeeds.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::testing::{Browser, FailingStore, Failure};
    /// use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     #[session(index)]
    ///     user: Option<u64>,
    /// }
    ///
    /// let store = FailingStore::new(MemoryStore::new());
    /// let secret = "hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625";
    /// let sessions = Sessions::with_store(SessionConfig::new().secret(secret), store.clone())?;
    /// let ada = sessions.find(Auth::by_user(42));
    /// for step in 0.. {
    ///     for _ in 0..2 {
    ///         Browser::signed_in(&sessions, &Auth { user: Some(42) }).await?;
    ///     }
    ///     store.fail_after(step, Failure::Unavailable);
    ///     let ended = ada.end_all().await;
    ///     store.recover();
    ///     if ended.is_ok() {
    ///         break;
    ///     }
    ///     ada.end_all().await?; // Repeating the call is enough.
    ///     assert_eq!(ada.count().await?, 0);
    /// }
    /// # });
    /// ```
    pub fn fail_after(&self, operations: usize, failure: Failure) {
        *self.plan() = Plan { failure: Some(failure), succeeding: operations };
    }

    /// Makes later operations succeed.
    pub fn recover(&self) {
        *self.plan() = Plan::default();
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation, and returns its failure.
    fn next(&self) -> Option<Failure> {
        let mut plan = self.plan();
        match plan.succeeding.checked_sub(1) {
            Some(left) => {
                plan.succeeding = left;
                None
            }
            None => plan.failure,
        }
    }

    fn read<'a, T: Send + 'a>(
        &'a self,
        key: &'a SessionKey,
        read: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let failure = self.next();
            self.end_if_asked_for(failure, key).await?;
            read_with(failure, read).await
        })
    }

    fn read_only<'a, T: Send + 'a>(
        &'a self,
        read: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move { read_with(self.next(), read).await })
    }

    fn change<'a, T: Send + 'a>(
        &'a self,
        key: &'a SessionKey,
        write: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let failure = self.next();
            self.end_if_asked_for(failure, key).await?;
            write_with(failure, write).await
        })
    }

    fn write_only<'a, T: Send + 'a>(
        &'a self,
        write: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move { write_with(self.next(), write).await })
    }

    /// Returns the index of a store that has one.
    fn indexed<'a, T: Send + 'a>(
        &'a self,
        ask: impl FnOnce(&'a dyn SessionIndex) -> BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        match self.store.index() {
            Some(index) => ask(index),
            None => Box::pin(async { Err(StoreError::refused("the store has no index")) }),
        }
    }

    async fn end_if_asked_for(
        &self,
        failure: Option<Failure>,
        key: &SessionKey,
    ) -> Result<(), StoreError> {
        if failure == Some(Failure::Gone) {
            let reason = DestroyReason::EndedElsewhere;
            self.store.destroy(key, Destruction { reason, tombstone_for: TOMBSTONE_FOR }).await?;
        }
        Ok(())
    }
}

async fn read_with<T>(
    failure: Option<Failure>,
    read: BoxFuture<'_, Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match failure {
        None | Some(Failure::Refused | Failure::Gone | Failure::Contended) => read.await,
        Some(Failure::Unavailable | Failure::OutcomeUnknown { .. }) => {
            Err(StoreError::unavailable(ON_DEMAND))
        }
    }
}

async fn write_with<T>(
    failure: Option<Failure>,
    write: BoxFuture<'_, Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match failure {
        None | Some(Failure::Gone | Failure::Contended) => return write.await,
        Some(Failure::Unavailable) => return Err(StoreError::unavailable(ON_DEMAND)),
        Some(Failure::Refused) => return Err(StoreError::refused(ON_DEMAND)),
        Some(Failure::OutcomeUnknown { carried_out: true }) => drop(write.await?),
        Some(Failure::OutcomeUnknown { carried_out: false }) => {}
    }
    Err(StoreError::outcome_unknown(ON_DEMAND))
}

const TOMBSTONE_FOR: Duration = Duration::from_secs(5 * 60);

const ON_DEMAND: &str = "the test made this operation fail";

impl SessionStore for FailingStore {
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>> {
        self.read(key, self.store.get(key, field, refresh))
    }

    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        self.read(key, self.store.contains(key, field, refresh))
    }

    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>> {
        self.change(key, self.store.write(key, write))
    }

    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        fields: &'a [&'a str],
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>> {
        self.read(key, self.store.get_many(key, fields, refresh))
    }

    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>> {
        let compares = matches!(modify.action, Action::CompareAndSet { .. });
        Box::pin(async move {
            let failure = self.next();
            if compares && failure == Some(Failure::Contended) {
                // A missing session is also missing for a comparison that would create the session.
                let is_there = self.store.expires_in(key).await?;
                return Ok(is_there.map(|_| Modified::Swapped(false)));
            }
            self.end_if_asked_for(failure, key).await?;
            write_with(failure, self.store.modify(key, modify)).await
        })
    }

    fn field_expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>> {
        self.read(key, self.store.field_expires_in(key, field))
    }

    fn expire_field<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        ttl: Duration,
        expires_in: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        self.change(key, self.store.expire_field(key, field, ttl, expires_in))
    }

    fn get_all<'a>(
        &'a self,
        key: &'a SessionKey,
        prefix: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<(String, Bytes)>>, StoreError>> {
        self.read(key, self.store.get_all(key, prefix, refresh))
    }

    fn supports_field_expiry(&self) -> bool {
        self.store.supports_field_expiry()
    }

    fn supports_changes_in_rotation(&self) -> bool {
        self.store.supports_changes_in_rotation()
    }

    fn supports_keeping_times(&self) -> bool {
        self.store.supports_keeping_times()
    }

    fn index(&self) -> Option<&dyn SessionIndex> {
        self.store.index().is_some().then_some(self)
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        self.read_only(self.store.scan(scan))
    }

    fn expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>> {
        self.read(key, self.store.expires_in(key))
    }

    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>> {
        self.change(key, self.store.rotate(key, rotation))
    }

    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>> {
        self.change(key, self.store.destroy(key, destruction))
    }

    fn tombstone<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Tombstone>, StoreError>> {
        self.read(key, self.store.tombstone(key))
    }

    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>> {
        self.read_only(self.store.time())
    }

    fn connection_state(&self) -> ConnectionState {
        let plan = self.plan();
        match plan.failure {
            Some(Failure::Unavailable) if plan.succeeding == 0 => ConnectionState::Disconnected,
            _ => self.store.connection_state(),
        }
    }
}

/// Fails as the other operations do. Another request ends no session just before.
impl SessionIndex for FailingStore {
    fn entries<'a>(
        &'a self,
        key: &'a IndexKey,
        mark: bool,
    ) -> BoxFuture<'a, Result<Listing, StoreError>> {
        let entries = self.indexed(|index| index.entries(key, mark));
        if mark { self.write_only(entries) } else { self.read_only(entries) }
    }

    fn look<'a>(
        &'a self,
        keys: &'a [SessionKey],
        look: Look<'a>,
    ) -> BoxFuture<'a, Result<Vec<Lookup<Seen>>, StoreError>> {
        self.read_only(self.indexed(|index| index.look(keys, look)))
    }

    fn destroy_if<'a>(
        &'a self,
        key: &'a SessionKey,
        ending: Ending<'a>,
    ) -> BoxFuture<'a, Result<Option<Destroyed>, StoreError>> {
        self.write_only(self.indexed(|index| index.destroy_if(key, ending)))
    }

    fn restore_entry<'a>(
        &'a self,
        key: &'a SessionKey,
        entry: MissingEntry<'a>,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        self.write_only(self.indexed(|index| index.restore_entry(key, entry)))
    }

    fn remove_stale<'a>(
        &'a self,
        key: &'a IndexKey,
        proof: IndexProof<'a>,
        stale: Stale<'a>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.write_only(self.indexed(|index| index.remove_stale(key, proof, stale)))
    }

    fn list_time<'a>(&'a self, key: &'a IndexKey) -> BoxFuture<'a, Result<SystemTime, StoreError>> {
        self.read_only(self.indexed(|index| index.list_time(key)))
    }
}
