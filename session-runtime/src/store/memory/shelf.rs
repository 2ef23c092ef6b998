//! All that a store holds, found by key, by expiry and by how long it was not used.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hashlink::LinkedHashMap;

use super::bounds::{self, Bounds, WhenFull};
use super::live::Live;
use super::pressure::Pressure;
use crate::store::{SessionKey, Tombstone, TombstoneKind};

/// How many due entries one operation clears away at most: more than the one that it can add, so the shelf empties faster than it fills.
const SWEPT_AT_ONCE: usize = 4;

/// All that a store holds. Every time here is one of the clock's elapsed time.
///
/// What the entries count together is never more than the bounds allow, whatever happens.
pub(super) struct Shelf {
    pub(super) bounds: Bounds,
    pub(super) pressure: Pressure,
    /// Those that were not used for longest come first.
    live: LinkedHashMap<Arc<str>, Session>,
    /// The oldest come first.
    dead: LinkedHashMap<Arc<str>, Buried>,
    /// When to look at each entry, one item for each: no later than it expires. It is moved when it is due, or when the entry is to expire
    /// sooner; a refresh costs nothing here.
    due: BTreeSet<(Duration, Arc<str>)>,
    live_bytes: usize,
    dead_bytes: usize,
}

/// There is no room.
#[derive(Debug)]
pub(super) struct Full;

/// What is under a key.
pub(super) enum Shelved<'a> {
    Missing,
    Dead(Tombstone),
    Live(&'a mut Session),
}

pub(super) struct Session {
    pub(super) fields: Live,
    pub(super) expires_at: Duration,
    due_at: Duration,
}

struct Buried {
    kind: TombstoneKind,
    ended_at: Duration,
    expires_at: Duration,
}

impl Shelf {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            pressure: Pressure::default(),
            live: LinkedHashMap::new(),
            dead: LinkedHashMap::new(),
            due: BTreeSet::new(),
            live_bytes: 0,
            dead_bytes: 0,
        }
    }

    /// How many entries there are, those included that have expired and were not cleared away yet.
    pub(super) fn len(&self) -> usize {
        self.live.len() + self.dead.len()
    }

    /// Without using it. What has expired is cleared away.
    pub(super) fn find(&mut self, key: &SessionKey, now: Duration) -> Shelved<'_> {
        let name = key.expose_secret();
        if let Some(Buried { kind, ended_at, expires_at }) = self.dead.get(name) {
            if *expires_at > now {
                return Shelved::Dead(Tombstone { kind: *kind, age: now.saturating_sub(*ended_at) });
            }
            self.remove_dead(name);
        }
        if self.live.get(name).is_some_and(|session| session.expires_at <= now) {
            self.remove_live(name);
        }
        let Some(session) = self.live.get_mut(name) else { return Shelved::Missing };
        self.live_bytes -= session.fields.bytes();
        session.fields.sweep(now);
        self.live_bytes += session.fields.bytes();
        Shelved::Live(session)
    }

    /// From now on it was used later than any other.
    pub(super) fn touch(&mut self, key: &SessionKey) {
        self.live.to_back(key.expose_secret());
    }

    /// Makes a session that is there expire at another time.
    pub(super) fn keep_until(&mut self, key: &SessionKey, expires_at: Duration) {
        let Some(session) = self.live.get_mut(key.expose_secret()) else { return };
        session.expires_at = expires_at;
        if expires_at >= session.due_at {
            return;
        }
        let was_due_at = std::mem::replace(&mut session.due_at, expires_at);
        let Some((name, _)) = self.live.get_key_value(key.expose_secret()) else { return };
        self.due.remove(&(was_due_at, Arc::clone(name)));
        self.due.insert((expires_at, Arc::clone(name)));
    }

    /// Changes what a session holds that is there. It has to have room for it.
    pub(super) fn change<T>(&mut self, key: &SessionKey, change: impl FnOnce(&mut Live) -> T) -> Option<T> {
        let session = self.live.get_mut(key.expose_secret())?;
        self.live_bytes -= session.fields.bytes();
        let changed = change(&mut session.fields);
        self.live_bytes += session.fields.bytes();
        Some(changed)
    }

    /// Puts a session under a key at which nothing was found. It has to have room.
    pub(super) fn put_live(&mut self, key: &SessionKey, fields: Live, expires_at: Duration) {
        let name: Arc<str> = key.expose_secret().into();
        self.live_bytes += bounds::session(&name) + fields.bytes();
        self.due.insert((expires_at, Arc::clone(&name)));
        self.live.insert(name, Session { fields, expires_at, due_at: expires_at });
    }

    /// Puts a tombstone under a key at which nothing was found, if the live sessions leave room for it: older ones make room.
    pub(super) fn put_dead(
        &mut self,
        key: &SessionKey,
        kind: TombstoneKind,
        expires_at: Duration,
        now: Duration,
    ) {
        let name: Arc<str> = key.expose_secret().into();
        let bytes = bounds::tombstone(&name);
        while !self.fits(1, bytes) {
            if !self.sweep_one(now) && !self.forget_oldest() {
                return self.pressure.note(|told| told.forgotten += 1);
            }
        }
        self.dead_bytes += bytes;
        self.due.insert((expires_at, Arc::clone(&name)));
        self.dead.insert(name, Buried { kind, ended_at: now, expires_at });
    }

    /// Takes a session away.
    pub(super) fn take(&mut self, key: &SessionKey) -> Option<Live> {
        self.remove_live(key.expose_secret())
    }

    /// Makes room for a session of one key to grow to what it is to count, or to begin. If there cannot be, nothing is changed but what has
    /// expired.
    pub(super) fn make_room(&mut self, key: &SessionKey, bytes: usize, now: Duration) -> Result<(), Full> {
        let name = key.expose_secret();
        let total = bounds::session(name) + bytes;
        let current = self.live.get(name).map(|session| bounds::session(name) + session.fields.bytes());
        let (entries, growth) = (usize::from(current.is_none()), total.saturating_sub(current.unwrap_or(0)));
        if entries == 0 && growth == 0 {
            return Ok(());
        }
        while !self.fits(entries, growth) && self.sweep_one(now) {}
        if !self.can_fit(entries, growth, total) {
            self.pressure.note(|told| told.refused += 1);
            return Err(Full);
        }
        while !self.fits(entries, growth) && (self.forget_oldest() || self.evict_oldest()) {}
        Ok(())
    }

    /// Clears away some of what has expired.
    pub(super) fn sweep(&mut self, now: Duration) {
        for _ in 0..SWEPT_AT_ONCE {
            if !self.sweep_one(now) {
                return;
            }
        }
    }

    fn fits(&self, entries: usize, bytes: usize) -> bool {
        self.len() + entries <= self.bounds.entries
            && (self.live_bytes + self.dead_bytes).saturating_add(bytes) <= self.bounds.bytes
    }

    /// Whether there is room once everything has made room that may.
    fn can_fit(&self, entries: usize, growth: usize, total: usize) -> bool {
        match self.bounds.when_full {
            WhenFull::Refuse => {
                self.live.len() + entries <= self.bounds.entries
                    && self.live_bytes.saturating_add(growth) <= self.bounds.bytes
            }
            WhenFull::Evict => self.bounds.entries > 0 && total <= self.bounds.bytes,
        }
    }

    /// Whether there was a tombstone.
    fn forget_oldest(&mut self) -> bool {
        let Some(name) = self.dead.front().map(|(name, _)| Arc::clone(name)) else { return false };
        self.pressure.note(|told| told.forgotten += 1);
        self.remove_dead(&name);
        true
    }

    /// Whether there was a session. The one that is to have the room was used last, and fits by itself.
    fn evict_oldest(&mut self) -> bool {
        let Some(name) = self.live.front().map(|(name, _)| Arc::clone(name)) else { return false };
        self.pressure.note(|told| told.evicted += 1);
        self.remove_live(&name);
        true
    }

    /// Looks at one entry that is due. Whether there was one.
    fn sweep_one(&mut self, now: Duration) -> bool {
        if self.due.first().is_none_or(|(due, _)| *due > now) {
            return false;
        }
        let Some((_, name)) = self.due.pop_first() else { return false };
        match self.live.get_mut(&name) {
            Some(session) if session.expires_at > now => {
                session.due_at = session.expires_at;
                self.due.insert((session.due_at, name));
            }
            Some(_) => drop(self.remove_live(&name)),
            None => self.remove_dead(&name),
        }
        true
    }

    fn remove_live(&mut self, name: &str) -> Option<Live> {
        let (name, Session { fields, due_at, .. }) = self.live.remove_entry(name)?;
        self.live_bytes -= bounds::session(&name) + fields.bytes();
        self.due.remove(&(due_at, name));
        Some(fields)
    }

    fn remove_dead(&mut self, name: &str) {
        let Some((name, tombstone)) = self.dead.remove_entry(name) else { return };
        self.dead_bytes -= bounds::tombstone(&name);
        self.due.remove(&(tombstone.expires_at, name));
    }

    /// How long an entry is kept; nothing if it has expired.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn expires_at(&self, key: &SessionKey) -> Option<Duration> {
        let name = key.expose_secret();
        let dead = self.dead.get(name).map(|tombstone| tombstone.expires_at);
        dead.or_else(|| self.live.get(name).map(|session| session.expires_at))
    }

    /// Fails if what is counted is not what is there, or is more than is allowed.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let live = self.live.iter().map(|(name, session)| {
            assert!(
                session.due_at <= session.expires_at && self.due.contains(&(session.due_at, name.clone()))
            );
            bounds::session(name) + session.fields.recount()
        });
        let dead = self.dead.iter().map(|(name, tombstone)| {
            assert!(self.due.contains(&(tombstone.expires_at, name.clone())));
            bounds::tombstone(name)
        });
        assert_eq!((self.live_bytes, self.dead_bytes), (live.sum(), dead.sum()));
        assert_eq!(self.due.len(), self.len());
        assert!(self.len() <= self.bounds.entries && self.live_bytes + self.dead_bytes <= self.bounds.bytes);
    }
}
