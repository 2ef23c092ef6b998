//! Sessions in the memory of this process.

mod action;
mod bounds;
mod builder;
mod entries;
mod fields;
mod indexes;
mod losses;
mod scan;
mod session_index;
#[cfg(test)]
mod tests;

pub use bounds::WhenFull;
pub use builder::MemoryStoreBuilder;

pub(crate) use bounds::Bounds;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use self::entries::{Entries, Entry, Full};
use self::fields::{Fields, stays_after};
use self::session_index::check_guards;
use super::boxed::impl_session_store;
use super::{
    Change, ConnectionState, Destroyed, Destruction, Indexing, Lookup, Modified, Modify, Refresh,
    Rotation, SessionKey, StoreError, Tombstone, TombstoneKind, Watchlist, Write, WriteMode,
};
use crate::clock::Clock;

/// A store that keeps sessions in the memory of this process. This store suits tests, development
/// and a single process that may lose sessions.
///
/// Clones share the same sessions. All sessions are gone when the process ends. The store starts no
/// thread: each operation removes a few expired sessions.
///
/// # Bounds
///
/// The store holds at most 100,000 entries and 256 MiB, so that a flood of visitors cannot exhaust
/// the memory. You can set other bounds with [`builder`](Self::builder) or in the URL, see
/// [`SessionConfig::store`](crate::SessionConfig::store).
///
/// Every session is an entry, and so is the tombstone of every ended session. The size of an entry
/// covers everything that the store allocates:
///
/// - a session: its key, 900 bytes, and for each field its name, its value and 210 bytes
/// - an indexed field of a session: also the names of the index and the field, and 500 bytes
/// - a tombstone: its key and 260 bytes
///
/// The process needs some memory beyond the bound, because the allocator cannot reuse all freed
/// memory at once.
///
/// A full store makes room in this order:
///
/// 1. Expired entries are removed.
/// 2. The oldest tombstones are removed, with [these consequences](#lost-tombstones).
/// 3. [`WhenFull`] decides. By default, writes that need room are refused. Alternatively, the least
///    recently used sessions are evicted.
///
/// A full store still carries out removals, `rotate`, `renew` and `destroy`. If live sessions alone
/// fill the store, a rotation leaves no tombstone. A write without room changes nothing. Each kind
/// of loss is logged by `tracing` as a warning, at most once a minute.
///
/// # Lost tombstones
///
/// If the tombstone of an ended session is gone, requests in progress with the old id find no
/// session instead of an ended session. No ended session comes back.
///
/// - If the request has already read the session, later writes still fail with
///   [`Error::is_gone`](crate::Error::is_gone).
/// - Otherwise, the first write creates a new session, and the new cookie may replace the user's
///   cookie.
/// - A logout with an id that was rotated meanwhile does not find the session.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!({
/// use std::time::Duration;
/// use session_runtime::store::{
///     Change, Lookup, Refresh, SessionKey, SessionStore, Write, WriteMode,
/// };
/// use session_runtime::{Bytes, MemoryStore};
///
/// let store = MemoryStore::new();
/// let key = SessionKey::new("app", &"dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0".parse()?);
/// let one = Bytes::from_static(b"1");
/// let changes = [Change::Set { field: "count", value: one.clone(), ttl: None }];
/// let write = Write {
///     mode: WriteMode::Create,
///     changes: &changes,
///     expires_in: Duration::from_secs(60),
///     index: None,
/// };
/// store.write(&key, write).await?;
/// assert_eq!(store.get(&key, "count", Refresh::No).await?, Lookup::Found(Some(one)));
/// # });
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    clock: Clock,
    entries: Arc<Mutex<Entries>>,
    watchlist: Arc<Watchlist>,
}

impl MemoryStore {
    /// Creates an empty store with the default bounds.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder for an empty store with other bounds.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::MemoryStore;
    /// use session_runtime::store::WhenFull;
    ///
    /// let store = MemoryStore::builder()
    ///     .max_entries(10_000)
    ///     .max_bytes(32 << 20)
    ///     .when_full(WhenFull::Evict)
    ///     .build();
    /// ```
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    /// Creates an empty store with the default bounds. Sessions expire by the given clock.
    #[cfg(any(test, feature = "testing"))]
    pub fn with_clock(clock: &crate::clock::ManualClock) -> Self {
        Self::builder().clock(clock).build()
    }

    fn empty(clock: Clock, bounds: Bounds) -> Self {
        let watchlist = Arc::<Watchlist>::default();
        let entries = Entries::new(bounds, Arc::clone(&watchlist));
        Self { clock, entries: Arc::new(Mutex::new(entries)), watchlist }
    }

    /// Returns how long a key is still kept, and the number of all entries, including expired
    /// entries.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    pub fn inspect(&self, key: &SessionKey) -> (Option<Duration>, usize) {
        let now = self.clock.elapsed();
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let left = entries.expires_at(key).and_then(|expires_at| expires_at.checked_sub(now));
        (left.filter(|left| !left.is_zero()), entries.len())
    }

    pub(crate) fn get(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<Option<Bytes>>, StoreError> {
        Ok(self.read(key, refresh, |fields, _| fields.get(field)))
    }

    pub(crate) fn contains(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<bool>, StoreError> {
        Ok(self.read(key, refresh, |fields, _| fields.contains(field)))
    }

    pub(crate) fn write(
        &self,
        key: &SessionKey,
        write: Write<'_>,
    ) -> Result<Lookup<u64>, StoreError> {
        let plan = |_: &Fields| ((), Cow::Borrowed(write.changes));
        let (mode, expires_in) = (write.mode, write.expires_in);
        let written = self.change(key, mode, expires_in, write.index, |()| true, plan)?;
        Ok(written.map(|((), removed)| removed))
    }

    pub(crate) fn get_many(
        &self,
        key: &SessionKey,
        fields: &[&str],
        refresh: Refresh,
    ) -> Result<Lookup<Vec<Option<Bytes>>>, StoreError> {
        Ok(self
            .read(key, refresh, |stored, _| fields.iter().map(|field| stored.get(field)).collect()))
    }

    pub(crate) fn get_all(
        &self,
        key: &SessionKey,
        prefix: &str,
        refresh: Refresh,
    ) -> Result<Lookup<Vec<(String, Bytes)>>, StoreError> {
        Ok(self.read(key, refresh, |fields, _| fields.under(prefix)))
    }

    pub(crate) fn modify(
        &self,
        key: &SessionKey,
        modify: Modify<'_>,
    ) -> Result<Lookup<Modified>, StoreError> {
        if modify.keeps_times {
            return self.modify_keeping_times(key, modify);
        }
        let plan = |fields: &Fields| {
            let (modified, changes) = fields.plan(&modify);
            (modified, Cow::Owned(changes))
        };
        let (mode, expires_in) = (modify.mode, modify.expires_in);
        let is_carried_out = Modified::is_carried_out;
        let written = self.change(key, mode, expires_in, modify.index, is_carried_out, plan)?;
        Ok(written.map(|(modified, _)| modified))
    }

    pub(crate) fn field_expires_in(
        &self,
        key: &SessionKey,
        field: &str,
    ) -> Result<Lookup<Option<Duration>>, StoreError> {
        Ok(self.read(key, Refresh::No, |fields, now| fields.expires_in(field, now)))
    }

    pub(crate) fn expire_field(
        &self,
        key: &SessionKey,
        field: &str,
        ttl: Duration,
        expires_in: Duration,
    ) -> Result<Lookup<bool>, StoreError> {
        Ok(self.read(key, Refresh::To(expires_in), |fields, now| fields.expire_in(field, ttl, now)))
    }

    pub(crate) fn supports_field_expiry(&self) -> bool {
        true
    }

    pub(crate) fn expires_in(&self, key: &SessionKey) -> Result<Lookup<Duration>, StoreError> {
        Ok(self.with_entries(|entries, now| match entries.find(key, now) {
            Entry::Missing => Lookup::Missing,
            Entry::Dead(_) => Lookup::Dead,
            Entry::Live(session) => Lookup::Found(session.expires_at - now),
        }))
    }

    pub(crate) fn rotate(
        &self,
        key: &SessionKey,
        mut rotation: Rotation<'_>,
    ) -> Result<Lookup<()>, StoreError> {
        self.with_entries(|entries, now| {
            let (is_free, is_there) = match entries.find(rotation.successor_key, now) {
                Entry::Missing => (true, false),
                Entry::Dead(_) => (false, false),
                Entry::Live(_) => (false, true),
            };
            match entries.find(key, now) {
                Entry::Missing => return Ok(Lookup::Missing),
                Entry::Dead(tombstone) => {
                    let is_repeated =
                        is_there && tombstone.successor() == Some(*rotation.successor);
                    return Ok(if is_repeated { Lookup::Found(()) } else { Lookup::Dead });
                }
                Entry::Live(_) if !is_free => {
                    return Err(StoreError::refused("the successor's key is taken"));
                }
                Entry::Live(session) if rotation.changes_fields() => {
                    if session.fields.changes_user(rotation.index) {
                        rotation.keep_only = Some(&[]);
                    }
                    let stays = stays_after(&rotation);
                    let bytes = session.fields.bytes_after_rotation(&rotation, &stays)
                        + session.fields.label_growth(rotation.index);
                    check_guards(entries, rotation.successor, rotation.index, &self.clock, now)?;
                    entries.touch(key);
                    entries.reserve(key, bytes, now).map_err(refused)?;
                    entries.change(key, |fields| fields.rotate(&rotation, &stays, now));
                }
                Entry::Live(_) => {}
            }
            if let Some(mut fields) = entries.take_live(key) {
                fields.rename(rotation.successor);
                fields.relabel(rotation.successor, rotation.index, Some(self.clock.now()));
                entries.insert_live(
                    rotation.successor_key,
                    fields,
                    now.saturating_add(rotation.expires_in),
                );
                let kind = rotation.tombstone_kind();
                entries.insert_tombstone(
                    key,
                    kind,
                    now.saturating_add(rotation.tombstone_for),
                    now,
                );
            }
            Ok(Lookup::Found(()))
        })
    }

    pub(crate) fn destroy(
        &self,
        key: &SessionKey,
        destruction: Destruction,
    ) -> Result<Destroyed, StoreError> {
        let destroyed = self.destroy_where(key, destruction, |_| true);
        Ok(destroyed.unwrap_or(Destroyed::Missing))
    }

    /// Ends a live session that passes the test. Returns `None` for another live session.
    fn destroy_where(
        &self,
        key: &SessionKey,
        destruction: Destruction,
        test: impl FnOnce(&Fields) -> bool,
    ) -> Option<Destroyed> {
        let (destroyed, session) = self.with_entries(|entries, now| match entries.find(key, now) {
            Entry::Missing => (Some(Destroyed::Missing), None),
            Entry::Dead(tombstone) => (Some(Destroyed::Dead(tombstone.kind)), None),
            Entry::Live(session) if !test(&session.fields) => (None, None),
            Entry::Live(_) => {
                let session = entries.take_live(key);
                let Destruction { reason, tombstone_for } = destruction;
                let kind = TombstoneKind::Destroyed(reason);
                entries.insert_tombstone(key, kind, now.saturating_add(tombstone_for), now);
                (Some(Destroyed::Ended), session)
            }
        });
        // Dropping thousands of fields takes time, so the lock is released first.
        drop(session);
        destroyed
    }

    pub(crate) fn tombstone(&self, key: &SessionKey) -> Result<Option<Tombstone>, StoreError> {
        Ok(self.with_entries(|entries, now| match entries.find(key, now) {
            Entry::Dead(tombstone) => Some(tombstone),
            Entry::Missing | Entry::Live(_) => None,
        }))
    }

    pub(crate) fn time(&self) -> Result<SystemTime, StoreError> {
        Ok(self.clock.now())
    }

    pub(crate) fn watchlist(&self) -> &Arc<Watchlist> {
        &self.watchlist
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        ConnectionState::Connected
    }

    /// Reads a live session and marks the session as used. The closure must not make the session
    /// larger.
    fn read<T>(
        &self,
        key: &SessionKey,
        refresh: Refresh,
        look: impl FnOnce(&mut Fields, Duration) -> T,
    ) -> Lookup<T> {
        self.with_entries(|entries, now| {
            let (found, expires_at) = match entries.find_used(key, now) {
                Entry::Missing => return Lookup::Missing,
                Entry::Dead(_) => return Lookup::Dead,
                Entry::Live(session) => (look(&mut session.fields, now), session.expires_at),
            };
            match refresh {
                Refresh::To(expires_in) => entries.set_expiry(key, now.saturating_add(expires_in)),
                Refresh::Below { below, expires_in } if expires_at - now < below => {
                    entries.set_expiry(key, now.saturating_add(expires_in));
                }
                Refresh::No | Refresh::Below { .. } => {}
            }
            Lookup::Found(found)
        })
    }

    /// Carries out the planned changes of a session, or nothing if there is no room. Returns the
    /// report of the plan and the number of removed fields. A missing session is only created if
    /// `begins` accepts the report.
    fn change<'c, T>(
        &self,
        key: &SessionKey,
        mode: WriteMode,
        expires_in: Duration,
        index: Option<Indexing<'_>>,
        begins: impl FnOnce(&T) -> bool,
        plan: impl FnOnce(&Fields) -> (T, Cow<'c, [Change<'c>]>),
    ) -> Result<Lookup<(T, u64)>, StoreError> {
        self.with_entries(|entries, now| {
            let expires_at = now.saturating_add(expires_in);
            if let Some(index) = index {
                check_guards(entries, index.session, index.changes, &self.clock, now)?;
            }
            let relabel = |fields: &mut Fields| {
                if let Some(index) = index {
                    fields.relabel(index.session, index.changes, Some(self.clock.now()));
                }
            };
            let growth =
                |fields: &Fields| index.map_or(0, |index| fields.label_growth(index.changes));
            let (report, changes, bytes) = match entries.find_used(key, now) {
                Entry::Dead(_) => return Ok(Lookup::Dead),
                Entry::Missing if mode == WriteMode::Existing => return Ok(Lookup::Missing),
                Entry::Missing => {
                    let mut fields = Fields::new();
                    let (report, changes) = plan(&fields);
                    if !begins(&report) {
                        return Ok(Lookup::Missing);
                    }
                    let bytes = fields.bytes_after(&changes) + growth(&fields);
                    entries.reserve(key, bytes, now).map_err(refused)?;
                    let removed = fields.apply(&changes, now);
                    relabel(&mut fields);
                    entries.insert_live(key, fields, expires_at);
                    return Ok(Lookup::Found((report, removed)));
                }
                Entry::Live(session) => {
                    let (report, changes) = plan(&session.fields);
                    let bytes = session.fields.bytes_after(&changes) + growth(&session.fields);
                    (report, changes, bytes)
                }
            };
            entries.reserve(key, bytes, now).map_err(refused)?;
            let removed = entries.change(key, |fields| {
                let removed = fields.apply(&changes, now);
                relabel(fields);
                removed
            });
            entries.set_expiry(key, expires_at);
            Ok(Lookup::Found((report, removed.unwrap_or(0))))
        })
    }

    /// Carries out a modification that keeps all times.
    #[cold]
    fn modify_keeping_times(
        &self,
        key: &SessionKey,
        mut modify: Modify<'_>,
    ) -> Result<Lookup<Modified>, StoreError> {
        self.with_entries(|entries, now| {
            if let Some(index) = modify.index {
                check_guards(entries, index.session, index.changes, &self.clock, now)?;
            }
            let fields = match entries.find(key, now) {
                Entry::Dead(_) => return Ok(Lookup::Dead),
                Entry::Missing => return Ok(Lookup::Missing),
                Entry::Live(session) => &session.fields,
            };
            modify.ttl = fields.current_expires_in(&modify, now);
            let (modified, changes) = fields.plan(&modify);
            let growth = modify.index.map_or(0, |index| fields.label_growth(index.changes));
            let bytes = fields.bytes_after(&changes) + growth;
            entries.reserve(key, bytes, now).map_err(refused)?;
            entries.change(key, |fields| {
                fields.apply(&changes, now);
                if let Some(index) = modify.index {
                    fields.relabel(index.session, index.changes, None);
                }
            });
            Ok(Lookup::Found(modified))
        })
    }

    /// Carries out an operation on the entries, atomically and with one reading of the clock.
    fn with_entries<T>(&self, operate: impl FnOnce(&mut Entries, Duration) -> T) -> T {
        let now = self.clock.elapsed();
        // A thread that panicked under the lock leaves nothing half done: no operation can panic
        // between two changes.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.sweep(now);
        let done = operate(&mut entries, now);
        let (losses, ended) = (entries.losses.take_due(now), std::mem::take(&mut entries.ended));
        drop(entries);
        ended.iter().for_each(|key| self.watchlist.hurry(key));
        // Subscribers may be slow, so the lock is released first.
        if let Some(losses) = losses {
            losses.log();
        }
        done
    }
}

impl_session_store!(immediate MemoryStore);

fn refused(_: Full) -> StoreError {
    StoreError::refused("the memory store is full, see `MemoryStore::builder` for its bounds")
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
