//! The entries of a store, ordered by key, by expiry and by last use.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hashlink::LinkedHashMap;

use super::bounds::{Bounds, WhenFull, session_bytes, tombstone_bytes};
use super::fields::Fields;
use super::indexes::Indexes;
use super::losses::LossLog;
use crate::store::{SessionKey, Tombstone, TombstoneKind, Watchlist};

/// The largest number of expired entries that an operation removes. An operation adds at most one
/// entry, so a store with expired entries shrinks.
const SWEPT_AT_ONCE: usize = 4;

/// All entries of a store. Every time in here is elapsed time of the clock.
///
/// The total size of the entries never exceeds the bounds.
pub(super) struct Entries {
    pub(super) bounds: Bounds,
    pub(super) losses: LossLog,
    pub(super) indexes: Indexes,
    /// In order of last use, least recently used first.
    live: LinkedHashMap<Arc<str>, LiveEntry>,
    /// In order of creation, oldest first.
    dead: LinkedHashMap<Arc<str>, DeadEntry>,
    /// The time of the next check of each entry, no later than the entry's expiry. An entry has
    /// exactly one check. A refresh costs nothing here: a check only moves when the check is due,
    /// or when the entry will expire sooner.
    checks: BTreeSet<(Duration, Arc<str>)>,
    live_bytes: usize,
    dead_bytes: usize,
    watchlist: Arc<Watchlist>,
    /// The sessions that have ended since the lock was taken, if any session is watched.
    pub(super) ended: Vec<Arc<str>>,
}

/// The error of a store without room.
#[derive(Debug)]
pub(super) struct Full;

/// The state of a key.
pub(super) enum Entry<'a> {
    Missing,
    Dead(Tombstone),
    Live(&'a mut LiveEntry),
}

pub(super) struct LiveEntry {
    pub(super) fields: Fields,
    pub(super) expires_at: Duration,
    check_at: Duration,
}

struct DeadEntry {
    kind: TombstoneKind,
    ended_at: Duration,
    expires_at: Duration,
}

/// Removes the expired fields of a session.
#[inline]
fn without_expired<'a>(
    session: &'a mut LiveEntry,
    live_bytes: &mut usize,
    now: Duration,
) -> &'a mut LiveEntry {
    *live_bytes -= session.fields.bytes();
    session.fields.remove_expired(now);
    *live_bytes += session.fields.bytes();
    session
}

impl Entries {
    pub(super) fn new(bounds: Bounds, watchlist: Arc<Watchlist>) -> Self {
        Self {
            bounds,
            losses: LossLog::default(),
            indexes: Indexes::default(),
            live: LinkedHashMap::new(),
            dead: LinkedHashMap::new(),
            checks: BTreeSet::new(),
            live_bytes: 0,
            dead_bytes: 0,
            watchlist,
            ended: Vec::new(),
        }
    }

    /// Returns the number of entries, including expired entries that were not removed yet.
    pub(super) fn len(&self) -> usize {
        self.live.len() + self.dead.len()
    }

    /// Returns the names of all live sessions, also of expired ones.
    pub(super) fn live_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.live.keys()
    }

    /// Finds an entry without marking the entry as used. Removes an expired entry or expired
    /// fields.
    pub(super) fn find(&mut self, key: &SessionKey, now: Duration) -> Entry<'_> {
        if let Some(tombstone) = self.tombstone(key, now) {
            return Entry::Dead(tombstone);
        }
        let Some(session) = self.live.get_mut(key.expose_secret()) else { return Entry::Missing };
        Entry::Live(without_expired(session, &mut self.live_bytes, now))
    }

    /// Finds an entry, and marks a session as the most recently used. Otherwise the same as
    /// [`find`](Self::find).
    pub(super) fn find_used(&mut self, key: &SessionKey, now: Duration) -> Entry<'_> {
        if let Some(tombstone) = self.tombstone(key, now) {
            return Entry::Dead(tombstone);
        }
        let Some(session) = self.live.to_back(key.expose_secret()) else { return Entry::Missing };
        Entry::Live(without_expired(session, &mut self.live_bytes, now))
    }

    /// Returns the tombstone. Removes an expired entry.
    #[inline]
    fn tombstone(&mut self, key: &SessionKey, now: Duration) -> Option<Tombstone> {
        let name = key.expose_secret();
        if let Some(DeadEntry { kind, ended_at, expires_at }) = self.dead.get(name) {
            if *expires_at > now {
                return Some(Tombstone { kind: *kind, age: now.saturating_sub(*ended_at) });
            }
            self.remove_dead(name);
        }
        if self.live.get(name).is_some_and(|session| session.expires_at <= now) {
            self.remove_live(name);
        }
        None
    }

    /// Marks a session as the most recently used.
    pub(super) fn touch(&mut self, key: &SessionKey) {
        self.live.to_back(key.expose_secret());
    }

    /// Sets the expiry of a session that exists.
    pub(super) fn set_expiry(&mut self, key: &SessionKey, expires_at: Duration) {
        let Some(session) = self.live.get_mut(key.expose_secret()) else { return };
        session.expires_at = expires_at;
        if expires_at >= session.check_at {
            return;
        }
        let was_check_at = std::mem::replace(&mut session.check_at, expires_at);
        let Some((name, _)) = self.live.get_key_value(key.expose_secret()) else { return };
        self.checks.remove(&(was_check_at, Arc::clone(name)));
        self.checks.insert((expires_at, Arc::clone(name)));
    }

    /// Changes the fields and labels of a session that exists. There must be room for the change.
    pub(super) fn change<T>(
        &mut self,
        key: &SessionKey,
        change: impl FnOnce(&mut Fields) -> T,
    ) -> Option<T> {
        let session = self.live.get_mut(key.expose_secret())?;
        self.live_bytes -= session.fields.bytes();
        self.indexes.remove_all(session.fields.labels());
        let changed = change(&mut session.fields);
        self.indexes.add_all(session.fields.labels());
        self.live_bytes += session.fields.bytes();
        Some(changed)
    }

    /// Inserts a session under a missing key. There must be room.
    pub(super) fn insert_live(&mut self, key: &SessionKey, fields: Fields, expires_at: Duration) {
        let name: Arc<str> = key.expose_secret().into();
        self.live_bytes += session_bytes(&name) + fields.bytes();
        self.indexes.add_all(fields.labels());
        self.checks.insert((expires_at, Arc::clone(&name)));
        self.live.insert(name, LiveEntry { fields, expires_at, check_at: expires_at });
    }

    /// Inserts a tombstone under a missing key, if the live sessions leave room. Older tombstones
    /// make room.
    pub(super) fn insert_tombstone(
        &mut self,
        key: &SessionKey,
        kind: TombstoneKind,
        expires_at: Duration,
        now: Duration,
    ) {
        let name: Arc<str> = key.expose_secret().into();
        let bytes = tombstone_bytes(&name);
        while !self.fits(1, bytes) {
            if !self.sweep_one(now) && !self.drop_oldest_tombstone() {
                self.losses.pending().forgotten += 1;
                return;
            }
        }
        self.dead_bytes += bytes;
        self.checks.insert((expires_at, Arc::clone(&name)));
        self.dead.insert(name, DeadEntry { kind, ended_at: now, expires_at });
    }

    /// Removes a session and returns the fields.
    pub(super) fn take_live(&mut self, key: &SessionKey) -> Option<Fields> {
        self.remove_live(key.expose_secret())
    }

    /// Makes room for a new session, or for a session that grows to this size. Without enough room,
    /// only expired entries are removed.
    pub(super) fn reserve(
        &mut self,
        key: &SessionKey,
        bytes: usize,
        now: Duration,
    ) -> Result<(), Full> {
        let name = key.expose_secret();
        let total = session_bytes(name) + bytes;
        let current =
            self.live.get(name).map(|session| session_bytes(name) + session.fields.bytes());
        let (entries, growth) =
            (usize::from(current.is_none()), total.saturating_sub(current.unwrap_or(0)));
        if entries == 0 && growth == 0 {
            return Ok(());
        }
        while !self.fits(entries, growth) && self.sweep_one(now) {}
        if !self.can_fit(entries, growth, total) {
            self.losses.pending().refused += 1;
            return Err(Full);
        }
        while !self.fits(entries, growth)
            && (self.drop_oldest_tombstone() || self.evict_least_recently_used(name))
        {}
        Ok(())
    }

    /// Removes some of the expired entries.
    pub(super) fn sweep(&mut self, now: Duration) {
        for _ in 0..SWEPT_AT_ONCE {
            if !self.has_due_check(now) {
                return;
            }
            self.sweep_one(now);
        }
    }

    fn fits(&self, entries: usize, bytes: usize) -> bool {
        self.len() + entries <= self.bounds.entries
            && (self.live_bytes + self.dead_bytes).saturating_add(bytes) <= self.bounds.bytes
    }

    /// Returns whether there is enough room after everything that may make room has been removed.
    fn can_fit(&self, entries: usize, growth: usize, total: usize) -> bool {
        match self.bounds.when_full {
            WhenFull::Refuse => {
                self.live.len() + entries <= self.bounds.entries
                    && self.live_bytes.saturating_add(growth) <= self.bounds.bytes
            }
            WhenFull::Evict => self.bounds.entries > 0 && total <= self.bounds.bytes,
        }
    }

    /// Returns `false` if there was no tombstone.
    fn drop_oldest_tombstone(&mut self) -> bool {
        let Some(name) = self.dead.front().map(|(name, _)| Arc::clone(name)) else { return false };
        self.losses.pending().forgotten += 1;
        self.remove_dead(&name);
        true
    }

    /// Returns `false` if there was no session besides the one that needs the room. That session
    /// fits on an empty store.
    fn evict_least_recently_used(&mut self, needs_room: &str) -> bool {
        let mut others = self.live.keys().filter(|name| &***name != needs_room);
        let Some(name) = others.next().map(Arc::clone) else { return false };
        self.losses.pending().evicted += 1;
        self.remove_live(&name);
        true
    }

    /// Checks one entry that is due. Returns `false` if no entry is due.
    fn sweep_one(&mut self, now: Duration) -> bool {
        if !self.has_due_check(now) {
            return false;
        }
        let Some((_, name)) = self.checks.pop_first() else { return false };
        match self.live.get_mut(&name) {
            Some(session) if session.expires_at > now => {
                session.check_at = session.expires_at;
                self.checks.insert((session.check_at, name));
            }
            Some(_) => drop(self.remove_live(&name)),
            None => self.remove_dead(&name),
        }
        true
    }

    #[inline]
    fn has_due_check(&self, now: Duration) -> bool {
        self.checks.first().is_some_and(|(check_at, _)| *check_at <= now)
    }

    fn remove_live(&mut self, name: &str) -> Option<Fields> {
        let (name, LiveEntry { fields, check_at, .. }) = self.live.remove_entry(name)?;
        self.live_bytes -= session_bytes(&name) + fields.bytes();
        self.indexes.remove_all(fields.labels());
        if !self.watchlist.is_empty() {
            self.ended.push(Arc::clone(&name));
        }
        self.checks.remove(&(check_at, name));
        Some(fields)
    }

    fn remove_dead(&mut self, name: &str) {
        let Some((name, tombstone)) = self.dead.remove_entry(name) else { return };
        self.dead_bytes -= tombstone_bytes(&name);
        self.checks.remove(&(tombstone.expires_at, name));
    }

    /// Returns the expiry of an entry. Returns `None` for an entry that does not exist.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn expires_at(&self, key: &SessionKey) -> Option<Duration> {
        let name = key.expose_secret();
        let dead = self.dead.get(name).map(|tombstone| tombstone.expires_at);
        dead.or_else(|| self.live.get(name).map(|session| session.expires_at))
    }

    /// Panics if the counters are wrong, or if the bounds are exceeded.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let live = self.live.iter().map(|(name, session)| {
            assert!(
                session.check_at <= session.expires_at
                    && self.checks.contains(&(session.check_at, name.clone()))
            );
            session_bytes(name) + session.fields.recount()
        });
        let dead = self.dead.iter().map(|(name, tombstone)| {
            assert!(self.checks.contains(&(tombstone.expires_at, name.clone())));
            tombstone_bytes(name)
        });
        assert_eq!((self.live_bytes, self.dead_bytes), (live.sum(), dead.sum()));
        assert_eq!(self.checks.len(), self.len());
        let mut labels = 0;
        for label in self.live.values().flat_map(|session| session.fields.labels()) {
            assert!(self.indexes.sessions(&label.key).any(|session| *session == label.session));
            labels += 1;
        }
        assert_eq!(self.indexes.lengths().2, labels);
        assert!(
            self.len() <= self.bounds.entries
                && self.live_bytes + self.dead_bytes <= self.bounds.bytes
        );
    }
}
