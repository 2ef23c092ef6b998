//! Changes that may concern all watched sessions of a server.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::keys::{Keys, TOGETHER, Watched};
use super::source::Source;

/// The time between groups of looks.
const BETWEEN_GROUPS: Duration = Duration::from_millis(50);
/// The most by which a look is delayed at random, since all processes lose a server at once.
const JITTER: Duration = Duration::from_millis(100);

impl Keys {
    /// Records that any session may have changed.
    pub(super) fn all_changed(&mut self, now: Instant) {
        self.look_at_each(|_| true, now);
    }

    /// Records that no more news comes from this source.
    pub(super) fn lost(&mut self, lost: &Source, now: Instant) {
        let is_lost =
            |watched: &Watched| watched.source.as_ref().is_some_and(|source| source.is_same(lost));
        self.look_at_each(is_lost, now);
    }

    /// Schedules looks at many sessions, in groups. The server may have just come back.
    fn look_at_each(&mut self, is_meant: impl Fn(&Watched) -> bool, now: Instant) {
        let meant = self.watched.iter().filter(|(_, watched)| is_meant(watched));
        let names: Vec<_> = meant.map(|(name, _)| Arc::clone(name)).collect();
        let hasher = self.watched.hasher().clone();
        for (at, name) in names.iter().enumerate() {
            let group = u32::try_from(at / TOGETHER).unwrap_or(u32::MAX);
            let jitter = hasher.hash_one(name) % 1000;
            let delay = BETWEEN_GROUPS * group + JITTER.mul_f64(jitter as f64 / 1000.0);
            self.changed(name, now + delay);
        }
    }
}
