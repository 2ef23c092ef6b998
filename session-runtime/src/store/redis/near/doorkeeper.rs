//! The sessions that were read lately, approximately.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Tells whether a session was read in this minute or the previous minute. Reads that the cache
/// answers do not count.
///
/// Most visitors come once. The server then has nothing to track for them, and the cache nothing to
/// keep. Two Bloom filters of 64 KiB each, for two minutes, may take a session for another. From
/// about 400,000 new sessions a minute on, they let most visitors in.
pub(super) struct Doorkeeper {
    start: Instant,
    /// The number of the present minute.
    minute: AtomicU64,
    filters: [Box<[AtomicU64]>; 2],
}

const WORDS: usize = 8 * 1024;

impl Doorkeeper {
    pub(super) fn new() -> Self {
        let filter = || (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Self { start: Instant::now(), minute: AtomicU64::new(0), filters: [filter(), filter()] }
    }

    /// Records a read of the session with this hash. Returns whether the session was read before.
    pub(super) fn admits(&self, hash: u64) -> bool {
        self.admits_in(self.start.elapsed().as_secs() / 60, hash)
    }

    fn admits_in(&self, minute: u64, hash: u64) -> bool {
        let minute = self.turn_to(minute);
        let [present, previous] =
            [minute, minute + 1].map(|minute| &self.filters[(minute % 2) as usize]);
        let is_in = |filter: &[AtomicU64]| {
            bits(hash).iter().all(|(at, bit)| filter[*at].load(Ordering::Relaxed) & bit != 0)
        };
        if is_in(present) {
            return true;
        }
        for (at, bit) in bits(hash) {
            present[at].fetch_or(bit, Ordering::Relaxed);
        }
        is_in(previous)
    }

    /// Begins a new minute, with an empty filter in place of the oldest.
    fn turn_to(&self, minute: u64) -> u64 {
        let before = self.minute.fetch_max(minute, Ordering::AcqRel);
        let passed = minute.saturating_sub(before).min(2);
        for past in (0..passed).map(|back| minute - back) {
            let filter = &self.filters[(past % 2) as usize];
            filter.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        }
        minute.max(before)
    }
}

/// Returns the places of a hash, each as an index and a bit.
fn bits(hash: u64) -> [(usize, u64); 2] {
    [hash, hash >> 32].map(|part| ((part >> 6) as usize % WORDS, 1 << (part % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_admitted_at_its_second_read_within_a_minute() {
        let doorkeeper = Doorkeeper::new();
        assert!(!doorkeeper.admits_in(0, 7) && doorkeeper.admits_in(0, 7));
        assert!(doorkeeper.admits_in(1, 7) && doorkeeper.admits_in(1, 7));
        assert!(doorkeeper.admits_in(2, 7));
        assert!(!doorkeeper.admits_in(9, 7) && doorkeeper.admits_in(9, 7));
    }

    #[test]
    fn other_sessions_are_rarely_admitted() {
        let doorkeeper = Doorkeeper::new();
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n << 40);
        for n in 0..1_000 {
            doorkeeper.admits_in(0, hash(n));
        }
        let admitted = (1_000..2_000).filter(|n| doorkeeper.admits_in(0, hash(*n))).count();
        assert!(admitted < 50, "{admitted}");
    }
}
