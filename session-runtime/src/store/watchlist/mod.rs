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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use self::keys::Keys;
use super::SessionKey;

/// The watched sessions of a store.
#[derive(Default)]
pub(crate) struct Watchlist {
    keys: Mutex<Keys>,
    /// The number of watched sessions. An end costs nothing more in a store without any.
    length: AtomicUsize,
}

impl Watchlist {
    /// Adds a watch of a session, and returns the signal of news.
    pub(crate) fn add(&self, key: &SessionKey, pace: Pace) -> Arc<Notify> {
        let mut keys = self.lock();
        let news = keys.add(key, pace, Instant::now());
        self.length.store(keys.len(), Ordering::Relaxed);
        news
    }

    /// Removes a watch of a session. With the last watch, the session leaves the list.
    pub(crate) fn remove(&self, key: &SessionKey) {
        let mut keys = self.lock();
        keys.remove(key);
        self.length.store(keys.len(), Ordering::Relaxed);
    }

    /// Returns the next step of a waiter for this session.
    pub(crate) fn step(&self, key: &SessionKey) -> Step {
        self.lock().step(key, Instant::now())
    }

    /// Records the results of looks, in the same order.
    pub(crate) fn looked(
        &self,
        looks: &[PendingLook],
        results: impl IntoIterator<Item = LookResult>,
    ) {
        let (mut keys, now) = (self.lock(), Instant::now());
        for (look, result) in looks.iter().zip(results) {
            keys.looked(look, result, now);
        }
    }

    /// Has a session looked at again, although the latest look found it ended.
    pub(crate) fn look_again(&self, key: &SessionKey) {
        self.lock().look_again(key, Instant::now());
    }

    /// Has a session looked at now, whenever it was due.
    pub(crate) fn hurry(&self, key: &SessionKey) {
        self.lock().hurry(key.expose_secret(), Instant::now());
    }

    /// Returns whether the next change of a session will be told.
    #[cfg(feature = "redis")]
    pub(crate) fn has_source(&self, key: &SessionKey) -> bool {
        self.lock().has_source(key)
    }

    /// Records a change of the session under this key.
    #[cfg(feature = "redis")]
    pub(crate) fn changed(&self, key: &str) {
        self.lock().changed(key, Instant::now());
    }

    /// Records that there is no live session under this key any more.
    #[inline]
    pub(crate) fn ended(&self, key: &str) {
        if self.length.load(Ordering::Relaxed) > 0 {
            self.lock().hurry(key, Instant::now());
        }
    }

    /// Records that any session may have changed.
    #[cfg(feature = "redis")]
    pub(crate) fn all_changed(&self) {
        self.lock().all_changed(Instant::now());
    }

    /// Records that no more news comes from this source. The caller has ended the source.
    #[cfg(feature = "redis")]
    pub(crate) fn lost(&self, source: &Source) {
        self.lock().lost(source, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watchlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchlist").field("length", &self.length).finish_non_exhaustive()
    }
}
