//! The builder of a [`MemoryStore`].

use super::MemoryStore;
use super::bounds::{Bounds, WhenFull};
use crate::clock::Clock;

/// A builder of a [`MemoryStore`], created by [`MemoryStore::builder`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct MemoryStoreBuilder {
    clock: Clock,
    bounds: Bounds,
}

impl MemoryStoreBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Sets the largest number of entries, which are sessions and tombstones. Default: 100,000.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.bounds.entries = entries;
        self
    }

    /// Sets the largest size of all entries in bytes, including all overhead. Default: 268,435,456
    /// (256 MiB).
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.bounds.bytes = bytes;
        self
    }

    /// Selects the behaviour of a full store. Default: [`WhenFull::Refuse`].
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.bounds.when_full = when_full;
        self
    }

    /// Sets the clock by which sessions expire. Default: the system clock.
    #[cfg(any(test, feature = "testing"))]
    pub fn clock(mut self, clock: &crate::clock::ManualClock) -> Self {
        self.clock = Clock::Manual(clock.clone());
        self
    }

    pub(crate) fn bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Creates an empty store.
    pub fn build(self) -> MemoryStore {
        MemoryStore::empty(self.clock, self.bounds)
    }
}
