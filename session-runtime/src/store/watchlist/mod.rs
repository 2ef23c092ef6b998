//! The sessions whose end a live connection awaits, and the news of their changes.
//!
//! A watched session is looked at once. Then nothing is sent until there is news of a change, the
//! session expires, or the longest interval between two looks is over. News comes from the store:
//! over a connection that the server informs of changes, or from the memory store itself.
//!
//! The waiters have the timers, and the list has no task. A waiter that finds its session due has
//! all due sessions looked at together.

#[cfg(feature = "redis")]
mod groups;
mod keys;
mod source;

pub(crate) use self::keys::{LookResult, Pace, PendingLook, Step};
#[cfg_attr(
    not(feature = "redis"),
    expect(unused_imports, reason = "only connections are sources")
)]
pub(crate) use self::source::Source;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use self::keys::Keys;
use super::SessionKey;

/// The watched sessions of a store.
#[derive(Default)]
pub(crate) struct Watchlist {
    keys: Mutex<Keys>,
    /// The number of watched sessions, so that an end costs nothing more without any.
    length: AtomicUsize,
}

impl Watchlist {
    /// Adds a watch of a session, and returns the signal of news.
    pub(crate) fn add(&self, key: &SessionKey, pace: Pace) -> Arc<Notify> {
        self.update(|keys, now| {
            let news = keys.add(key, pace, now);
            self.length.store(keys.len(), Ordering::Relaxed);
            news
        })
    }

    /// Removes a watch of a session. With the last watch, the session leaves the list.
    pub(crate) fn remove(&self, key: &SessionKey) {
        self.update(|keys, _| {
            keys.remove(key);
            self.length.store(keys.len(), Ordering::Relaxed);
        });
    }

    /// Returns the next step of a waiter for this session.
    pub(crate) fn step(&self, key: &SessionKey) -> Step {
        self.update(|keys, now| keys.step(key, now))
    }

    /// Gives a look its time from now on. Returns `false` for a look that was taken for lost.
    pub(crate) fn renew(&self, look: &PendingLook) -> bool {
        self.update(|keys, now| keys.renew(look, now))
    }

    /// Records the result of a look.
    pub(crate) fn looked(&self, look: &PendingLook, result: LookResult) {
        self.update(|keys, now| keys.looked(look, result, now));
    }

    /// Has a session looked at again, although the latest look found it ended.
    pub(crate) fn look_again(&self, key: &SessionKey) {
        self.update(|keys, now| keys.look_again(key, now));
    }

    /// Has a session looked at now, whenever it was due.
    pub(crate) fn hurry(&self, key: &str) {
        self.update(|keys, now| keys.hurry(key, now));
    }

    /// Returns whether the next change of a session will be told.
    #[cfg(feature = "redis")]
    pub(crate) fn has_source(&self, key: &SessionKey) -> bool {
        self.update(|keys, _| keys.has_source(key))
    }

    /// Records a change of the session under this key.
    #[cfg(feature = "redis")]
    pub(crate) fn changed(&self, key: &str) {
        self.update(|keys, now| keys.changed(key, now));
    }

    /// Records that any session may have changed.
    #[cfg(feature = "redis")]
    pub(crate) fn all_changed(&self) {
        self.update(Keys::all_changed);
    }

    /// Records that no more news comes from this source. The caller has ended the source.
    #[cfg(feature = "redis")]
    pub(crate) fn lost(&self, source: &Source) {
        self.update(|keys, now| keys.lost(source, now));
    }

    /// Records that the store answers again.
    #[cfg(feature = "redis")]
    pub(crate) fn back(&self) {
        self.update(Keys::back);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length.load(Ordering::Relaxed) == 0
    }

    /// Updates the list. Waiters are woken without the lock.
    fn update<T>(&self, update: impl FnOnce(&mut Keys, Instant) -> T) -> T {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let updated = update(&mut keys, Instant::now());
        let to_wake = std::mem::take(&mut keys.to_wake);
        drop(keys);
        to_wake.iter().for_each(|waiters| waiters.notify_waiters());
        updated
    }
}

impl fmt::Debug for Watchlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchlist").field("length", &self.length).finish_non_exhaustive()
    }
}
