//! The part of a history that one task records.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{History, Kind, Operation, Version};

/// A store with its clones, as the checker sees it.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    /// The number of the store.
    pub number: usize,
    /// The age that the store's reads may have. Zero for a store without a near cache.
    pub staleness: Duration,
    /// The server's news reaches the store. Otherwise, a fresh read does not affect later reads.
    pub has_news: bool,
}

/// Records the operations of one task on a store.
#[derive(Debug, Clone)]
pub struct Recorder {
    store: Store,
    task: usize,
    history: History,
}

impl Store {
    /// Returns a store that hears of changes.
    pub fn new(number: usize, staleness: Duration) -> Self {
        Self { number, staleness, has_news: true }
    }
}

impl Recorder {
    /// Creates an empty record.
    pub fn new(store: Store) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let task = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { store, task, history: History::default() }
    }

    /// Records a read that began at this moment, and ends now.
    pub fn read(&mut self, begun: Instant, session: usize, field: &'static str, version: Version) {
        self.add(begun, session, field, version, Kind::Read { staleness: self.store.staleness });
    }

    /// Records a read that no near cache answers.
    pub fn fresh(&mut self, begun: Instant, session: usize, field: &'static str, version: Version) {
        if !self.store.has_news {
            return;
        }
        self.add(begun, session, field, version, Kind::Read { staleness: Duration::ZERO });
    }

    /// Records a write that began at this moment, and ends now.
    pub fn wrote(&mut self, begun: Instant, session: usize, field: &'static str, version: Version) {
        self.add(begun, session, field, version, Kind::Written { on_server: Instant::now() });
    }

    /// Records the write of an expiry, which ends now. The field is gone later.
    pub fn expires(&mut self, begun: Instant, session: usize, field: &'static str, gone: Instant) {
        self.add(begun, session, field, Version::GONE, Kind::Written { on_server: gone });
    }

    /// Records the values of a batch, of two fields that are always written together.
    pub fn pair(&mut self, session: usize, values: [u64; 2]) {
        self.history.add_pair(session, values);
    }

    /// Returns the history.
    pub fn finish(self) -> History {
        self.history
    }

    fn add(
        &mut self,
        begun: Instant,
        session: usize,
        field: &'static str,
        version: Version,
        kind: Kind,
    ) {
        let ended = Instant::now();
        let place = (session, field);
        self.history.add(Operation {
            store: self.store.number,
            task: self.task,
            begun,
            ended,
            kind,
            place,
            version,
        });
    }
}
