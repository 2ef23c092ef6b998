//! How large a [`MemoryStore`] may become.

use super::MemoryStore;
use super::bounds::{Bounds, WhenFull};
use crate::clock::Clock;

/// Settings of a [`MemoryStore`], see [`MemoryStore::builder`].
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

    /// How many entries are held at once, sessions and tombstones together. Default: 100,000.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.bounds.entries = entries;
        self
    }

    /// How many bytes the entries may take, all their overhead included. Default: 268,435,456 (256
    /// MiB).
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.bounds.bytes = bytes;
        self
    }

    /// What becomes of what there is no room for. Default: [`WhenFull::Refuse`].
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.bounds.when_full = when_full;
        self
    }

    /// The sessions expire by this clock. Default: the system's.
    #[cfg(any(test, feature = "testing"))]
    pub fn clock(mut self, clock: &crate::clock::ManualClock) -> Self {
        self.clock = Clock::Manual(clock.clone());
        self
    }

    pub(crate) fn bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// An empty store.
    pub fn build(self) -> MemoryStore {
        MemoryStore::empty(self.clock, self.bounds)
    }
}
