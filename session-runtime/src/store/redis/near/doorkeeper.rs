//! The sessions that were read lately, approximately.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::moment::Moment;

/// Tells whether a session was read in this minute or the previous minute.
///
/// Most visitors come once. The server then has nothing to track for them, and the cache nothing to
/// keep. Two Bloom filters of 8 KiB each, for two minutes, may take a session for another.
pub(super) struct Doorkeeper {
    start: Moment,
    /// The number of the present minute.
    minute: AtomicU64,
    filters: [Box<[AtomicU64]>; 2],
}

const MINUTE: Duration = Duration::from_secs(60);
const WORDS: usize = 1024;

impl Doorkeeper {
    pub(super) fn new(now: Moment) -> Self {
        let filter = || (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Self { start: now, minute: AtomicU64::new(0), filters: [filter(), filter()] }
    }

    /// Records a read of the session with this hash. Returns whether the session was read before.
    pub(super) fn admits(&self, hash: u64, now: Moment) -> bool {
        let minute = self.turn_to(self.start.age(now).as_secs() / MINUTE.as_secs());
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
        if before < minute {
            let passed = minute - before;
            for past in (0..passed.min(2)).map(|back| minute - back) {
                let filter = &self.filters[(past % 2) as usize];
                filter.iter().for_each(|word| word.store(0, Ordering::Relaxed));
            }
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

    fn at(minutes: u32, seconds: u64) -> Moment {
        let time = minutes * MINUTE + Duration::from_secs(seconds);
        Moment::at(time, time)
    }

    #[test]
    fn a_session_is_admitted_at_its_second_read_within_a_minute() {
        let doorkeeper = Doorkeeper::new(at(0, 0));
        assert!(!doorkeeper.admits(7, at(0, 10)) && doorkeeper.admits(7, at(0, 20)));
        assert!(doorkeeper.admits(7, at(1, 30)) && doorkeeper.admits(7, at(1, 40)));
        assert!(doorkeeper.admits(7, at(2, 10)));
        assert!(!doorkeeper.admits(7, at(9, 0)) && doorkeeper.admits(7, at(9, 0)));
    }

    #[test]
    fn other_sessions_are_rarely_admitted() {
        let doorkeeper = Doorkeeper::new(at(0, 0));
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n << 40);
        for n in 0..1_000 {
            doorkeeper.admits(hash(n), at(0, 0));
        }
        let admitted = (1_000..2_000).filter(|n| doorkeeper.admits(hash(*n), at(0, 1))).count();
        assert!(admitted < 50, "{admitted}");
    }
}
