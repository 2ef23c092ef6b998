//! Sessions in the memory of this process.

mod action;
mod live;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fmt, mem};

use bytes::Bytes;

use self::live::Live;
use super::{
    BoxFuture, Destroyed, Lookup, Modified, Modify, Refresh, Rotation, SessionKey, SessionStore, StoreError,
    Write, WriteMode,
};
use crate::clock::Clock;
use crate::id::SessionId;

/// Sessions in the memory of this process: for tests, for development, and for a server that is alone and may forget.
///
/// Clones are the same store. Sessions are gone when the process ends. Expired ones are cleared away by the operations that follow, a few
/// each time, without a thread of the store's own.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_runtime::{Bytes, Change, Lookup, MemoryStore, Refresh, SessionKey, SessionStore, Write, WriteMode};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let key = SessionKey::new("app", &"dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0".parse()?);
/// let changes = [Change::Set { field: "count", value: Bytes::from_static(b"1"), ttl: None }];
/// store.write(&key, Write { mode: WriteMode::Create, changes: &changes, expires_in: Duration::from_secs(60) }).await?;
/// assert_eq!(store.get(&key, "count", Refresh::No).await?, Lookup::Found(Some(Bytes::from_static(b"1"))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    clock: Clock,
    shelf: Arc<Mutex<Shelf>>,
}

/// How many due entries one operation clears away at most: more than the one that it can add, so the shelf empties faster than it fills.
const SWEPT_AT_ONCE: usize = 4;

#[derive(Default)]
struct Shelf {
    entries: HashMap<Arc<str>, Entry>,
    /// When to look at each entry again, soonest first. One item an entry, moved only when it is due: a refresh costs nothing here.
    due: BinaryHeap<Reverse<(Duration, Arc<str>)>>,
}

struct Entry {
    /// By the clock's elapsed time.
    expires_at: Duration,
    content: Content,
}

enum Content {
    Live(Live),
    /// A tombstone, with the id that the session moved to.
    Dead(Option<SessionId>),
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store whose sessions expire by this clock.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    pub fn with_clock(clock: &crate::clock::ManualClock) -> Self {
        Self { clock: Clock::Manual(clock.clone()), ..Self::default() }
    }

    /// Puts a tombstone under a key.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    pub fn bury(&self, key: &SessionKey, expires_in: Duration) {
        let now = self.clock.elapsed();
        self.lock()
            .put(key, Entry { expires_at: now.saturating_add(expires_in), content: Content::Dead(None) });
    }

    /// How long a key is still kept, and how many entries are held at all, expired ones included.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    pub fn inspect(&self, key: &SessionKey) -> (Option<Duration>, usize) {
        let now = self.clock.elapsed();
        let shelf = self.lock();
        let entry = shelf.entries.get(key.expose_secret()).filter(|entry| entry.expires_at > now);
        (entry.map(|entry| entry.expires_at - now), shelf.entries.len())
    }

    pub(crate) fn get_now(&self, key: &SessionKey, field: &str, refresh: Refresh) -> Lookup<Option<Bytes>> {
        self.read(key, refresh, |fields| fields.get(field))
    }

    pub(crate) fn contains_now(&self, key: &SessionKey, field: &str, refresh: Refresh) -> Lookup<bool> {
        self.read(key, refresh, |fields| fields.contains(field))
    }

    pub(crate) fn get_many_now(
        &self,
        key: &SessionKey,
        names: &[&str],
        refresh: Refresh,
    ) -> Lookup<Vec<Option<Bytes>>> {
        self.read(key, refresh, |fields| names.iter().map(|name| fields.get(name)).collect())
    }

    pub(crate) fn write_now(&self, key: &SessionKey, write: Write<'_>) -> Lookup<u64> {
        self.change(
            key,
            write.mode,
            write.expires_in,
            |_| true,
            |fields, now| fields.apply(write.changes, now),
        )
    }

    pub(crate) fn modify_now(&self, key: &SessionKey, modify: &Modify<'_>) -> Lookup<Modified> {
        self.change(key, modify.mode, modify.expires_in, Modified::is_carried_out, |fields, now| {
            fields.modify(modify, now)
        })
    }

    pub(crate) fn field_time_left_now(&self, key: &SessionKey, field: &str) -> Lookup<Option<Duration>> {
        let now = self.clock.elapsed();
        self.read(key, Refresh::No, |fields| fields.time_left(field, now))
    }

    pub(crate) fn expire_field_now(
        &self,
        key: &SessionKey,
        field: &str,
        ttl: Duration,
        expires_in: Duration,
    ) -> Lookup<bool> {
        self.change(
            key,
            WriteMode::Existing,
            expires_in,
            |_| true,
            |fields, now| fields.expire(field, ttl, now),
        )
    }

    pub(crate) fn time_left_now(&self, key: &SessionKey) -> Lookup<Duration> {
        let now = self.clock.elapsed();
        let mut shelf = self.lock();
        shelf.sweep(now);
        match shelf.find(key, now) {
            None => Lookup::Missing,
            Some(Entry { content: Content::Dead(_), .. }) => Lookup::Dead,
            Some(Entry { content: Content::Live(_), expires_at }) => Lookup::Found(*expires_at - now),
        }
    }

    pub(crate) fn rotate_now(
        &self,
        key: &SessionKey,
        rotation: Rotation<'_>,
    ) -> Result<Lookup<()>, StoreError> {
        let now = self.clock.elapsed();
        let mut shelf = self.lock();
        shelf.sweep(now);
        let (is_free, is_there) = match shelf.find(rotation.successor_key, now) {
            None => (true, false),
            Some(entry) => (false, matches!(entry.content, Content::Live(_))),
        };
        let session = match shelf.find(key, now) {
            None => return Ok(Lookup::Missing),
            Some(Entry { content: Content::Dead(successor), .. }) => {
                let is_repeated = is_there && *successor == Some(*rotation.successor);
                return Ok(if is_repeated { Lookup::Found(()) } else { Lookup::Dead });
            }
            Some(_) if !is_free => return Err(StoreError::refused("the successor's key is taken")),
            Some(entry) => entry.bury(Some(*rotation.successor), now.saturating_add(rotation.tombstone_for)),
        };
        let expires_at = now.saturating_add(rotation.expires_in);
        shelf.put(rotation.successor_key, Entry { expires_at, content: session });
        Ok(Lookup::Found(()))
    }

    pub(crate) fn destroy_now(&self, key: &SessionKey, tombstone_for: Duration) -> Destroyed {
        let now = self.clock.elapsed();
        let mut shelf = self.lock();
        shelf.sweep(now);
        let session = match shelf.find(key, now) {
            None => return Destroyed::Missing,
            Some(Entry { content: Content::Dead(None), .. }) => return Destroyed::Dead,
            Some(Entry { content: Content::Dead(Some(successor)), .. }) => {
                return Destroyed::Moved(*successor);
            }
            Some(entry) => entry.bury(None, now.saturating_add(tombstone_for)),
        };
        drop(shelf);
        // Thousands of fields take their time: nobody else waits for it.
        drop(session);
        Destroyed::Ended
    }

    pub(crate) fn time_now(&self) -> SystemTime {
        self.clock.now()
    }

    fn read<T>(&self, key: &SessionKey, refresh: Refresh, look: impl FnOnce(&Live) -> T) -> Lookup<T> {
        let now = self.clock.elapsed();
        let mut shelf = self.lock();
        shelf.sweep(now);
        match shelf.find(key, now) {
            None => Lookup::Missing,
            Some(Entry { content: Content::Dead(_), .. }) => Lookup::Dead,
            Some(Entry { content: Content::Live(fields), expires_at }) => {
                match refresh {
                    Refresh::To(expires_in) => *expires_at = now.saturating_add(expires_in),
                    Refresh::Below { below, expires_in } if *expires_at - now < below => {
                        *expires_at = now.saturating_add(expires_in);
                    }
                    Refresh::No | Refresh::Below { .. } => {}
                }
                fields.sweep(now);
                Lookup::Found(look(fields))
            }
        }
    }

    /// A missing session is begun only if `begins` says so of what the change came to.
    fn change<T>(
        &self,
        key: &SessionKey,
        mode: WriteMode,
        expires_in: Duration,
        begins: impl FnOnce(&T) -> bool,
        change: impl FnOnce(&mut Live, Duration) -> T,
    ) -> Lookup<T> {
        let now = self.clock.elapsed();
        let expires_at = now.saturating_add(expires_in);
        let mut shelf = self.lock();
        shelf.sweep(now);
        match shelf.find(key, now) {
            Some(Entry { content: Content::Dead(_), .. }) => Lookup::Dead,
            Some(Entry { content: Content::Live(fields), expires_at: kept_until }) => {
                *kept_until = expires_at;
                fields.sweep(now);
                Lookup::Found(change(fields, now))
            }
            None if mode == WriteMode::Existing => Lookup::Missing,
            None => {
                let mut fields = Live::begin();
                let report = change(&mut fields, now);
                if !begins(&report) {
                    return Lookup::Missing;
                }
                shelf.put(key, Entry { expires_at, content: Content::Live(fields) });
                Lookup::Found(report)
            }
        }
    }

    /// A thread that panicked under the lock leaves nothing half done: no operation below can panic between two changes.
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Makes it a tombstone, and gives what it was. Its item of the shelf's stays, which looks at it no sooner than it would have.
    fn bury(&mut self, successor: Option<SessionId>, expires_at: Duration) -> Content {
        self.expires_at = expires_at;
        mem::replace(&mut self.content, Content::Dead(successor))
    }
}

impl Shelf {
    fn find(&mut self, key: &SessionKey, now: Duration) -> Option<&mut Entry> {
        self.entries.get_mut(key.expose_secret()).filter(|entry| entry.expires_at > now)
    }

    fn put(&mut self, key: &SessionKey, entry: Entry) {
        let name: Arc<str> = key.expose_secret().into();
        self.due.push(Reverse((entry.expires_at, Arc::clone(&name))));
        self.entries.insert(name, entry);
    }

    fn sweep(&mut self, now: Duration) {
        for _ in 0..SWEPT_AT_ONCE {
            if self.due.peek().is_none_or(|Reverse((due, _))| *due > now) {
                return;
            }
            let Some(Reverse((_, name))) = self.due.pop() else { return };
            match self.entries.get(&name).map(|entry| entry.expires_at) {
                Some(expires_at) if expires_at > now => self.due.push(Reverse((expires_at, name))),
                Some(_) => drop(self.entries.remove(&name)),
                None => {}
            }
        }
    }
}

impl SessionStore for MemoryStore {
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>> {
        Box::pin(async move { Ok(self.get_now(key, field, refresh)) })
    }

    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(async move { Ok(self.contains_now(key, field, refresh)) })
    }

    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>> {
        Box::pin(async move { Ok(self.write_now(key, write)) })
    }

    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        fields: &'a [&'a str],
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>> {
        Box::pin(async move { Ok(self.get_many_now(key, fields, refresh)) })
    }

    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>> {
        Box::pin(async move { Ok(self.modify_now(key, &modify)) })
    }

    fn field_time_left<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>> {
        Box::pin(async move { Ok(self.field_time_left_now(key, field)) })
    }

    fn expire_field<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        ttl: Duration,
        expires_in: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(async move { Ok(self.expire_field_now(key, field, ttl, expires_in)) })
    }

    fn expires_fields(&self) -> bool {
        true
    }

    fn time_left<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>> {
        Box::pin(async move { Ok(self.time_left_now(key)) })
    }

    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>> {
        Box::pin(async move { self.rotate_now(key, rotation) })
    }

    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        tombstone_for: Duration,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>> {
        Box::pin(async move { Ok(self.destroy_now(key, tombstone_for)) })
    }

    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>> {
        Box::pin(async move { Ok(self.time_now()) })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::store::Change;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn expiry_is_exact() {
        let (store, clock) = store();
        create(&store, &key(0), MINUTE);
        clock.advance(MINUTE - Duration::from_nanos(1));
        assert_eq!(store.get_now(&key(0), "a", Refresh::No), Lookup::Found(Some("1".into())));
        clock.advance(Duration::from_nanos(1));
        assert_eq!(store.get_now(&key(0), "a", Refresh::No), Lookup::Missing);
    }

    #[test]
    fn setting_the_time_of_day_expires_nothing_and_revives_nothing() {
        let (store, clock) = store();
        let today = clock.now();
        create(&store, &key(0), MINUTE);
        clock.set(today + MINUTE * 1000);
        assert_eq!(store.contains_now(&key(0), "a", Refresh::No), Lookup::Found(true));
        clock.advance(MINUTE);
        clock.set(today - MINUTE * 1000);
        assert_eq!(store.contains_now(&key(0), "a", Refresh::No), Lookup::Missing);
    }

    #[test]
    fn creations_clear_away_what_expired_and_nobody_asks_for() {
        let (store, clock) = store();
        for at in 0..1000 {
            create(&store, &key(at), MINUTE);
        }
        clock.advance(MINUTE);
        for at in 1000..1300 {
            create(&store, &key(at), MINUTE);
        }
        assert_eq!(store.inspect(&key(0)).1, 300);
    }

    #[test]
    fn a_refreshed_session_is_not_cleared_away_with_its_first_expiry() {
        let (store, clock) = store();
        create(&store, &key(0), MINUTE);
        store.get_now(&key(0), "a", Refresh::To(MINUTE * 3));
        clock.advance(MINUTE * 2);
        create(&store, &key(1), MINUTE);
        assert_eq!(store.contains_now(&key(0), "a", Refresh::No), Lookup::Found(true));
        clock.advance(MINUTE);
        create(&store, &key(2), MINUTE);
        assert_eq!(store.inspect(&key(0)), (None, 1));
    }

    #[test]
    fn a_panic_under_the_lock_does_not_lose_the_store() {
        let (store, _) = store();
        create(&store, &key(0), MINUTE);
        let poisoner = store.clone();
        let poisoned = std::thread::spawn(move || {
            let _held = poisoner.lock();
            panic!("on purpose");
        });
        assert!(poisoned.join().is_err());
        assert_eq!(store.get_now(&key(0), "a", Refresh::No), Lookup::Found(Some("1".into())));
    }

    #[test]
    fn debug_shows_nothing_that_is_stored() {
        let (store, _) = store();
        create(&store, &key(0), MINUTE);
        assert_eq!(format!("{store:?}"), "MemoryStore { .. }");
    }

    fn store() -> (MemoryStore, ManualClock) {
        let clock = ManualClock::default();
        (MemoryStore::with_clock(&clock), clock)
    }

    fn key(number: u32) -> SessionKey {
        SessionKey::new("test", &SessionId::parse(&format!("{number:0>40}")).unwrap())
    }

    fn create(store: &MemoryStore, key: &SessionKey, expires_in: Duration) {
        let changes = [Change::Set { field: "a", value: "1".into(), ttl: None }];
        store.write_now(key, Write { mode: WriteMode::Create, changes: &changes, expires_in });
    }
}
