//! Moments by two clocks.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment by the monotonic clock and by the system's clock, in microseconds.
///
/// A monotonic clock stands still while the machine is suspended, and the system's clock may be set
/// back. An age is the larger of the two differences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    monotonic: u64,
    system: u64,
}

/// A time in microseconds. Comparisons are cheaper than those of a `Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Micros(u64);

/// A moment that another thread may replace.
///
/// A reader may see the two halves of different moments. The age is then that of the older moment.
#[derive(Default)]
pub(super) struct AtomicMoment {
    monotonic: AtomicU64,
    system: AtomicU64,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Moment {
    pub(crate) fn now() -> Self {
        let start = *START;
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: Micros::from(start.elapsed()).0, system: Micros::from(system).0 }
    }

    pub(super) fn long_ago() -> Self {
        Self { monotonic: 0, system: 0 }
    }

    /// Returns the age at a later moment.
    pub(super) fn age(self, now: Self) -> Micros {
        let monotonic = now.monotonic.saturating_sub(self.monotonic);
        Micros(monotonic.max(now.system.saturating_sub(self.system)))
    }
}

impl AtomicMoment {
    pub(super) fn store(&self, moment: Moment) {
        self.monotonic.store(moment.monotonic, Ordering::Release);
        self.system.store(moment.system, Ordering::Release);
    }

    pub(super) fn is_set(&self) -> bool {
        self.system.load(Ordering::Acquire) > 0
    }

    /// Returns the moment. A moment that was never stored is in 1970.
    pub(super) fn load(&self) -> Moment {
        Moment {
            monotonic: self.monotonic.load(Ordering::Acquire),
            system: self.system.load(Ordering::Acquire),
        }
    }
}

impl Micros {
    pub(super) fn third(self) -> Self {
        Self(self.0 / 3)
    }

    pub(super) fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// A time beyond half a million years becomes the longest time.
impl From<Duration> for Micros {
    fn from(time: Duration) -> Self {
        Self(time.as_secs().saturating_mul(1_000_000).saturating_add(time.subsec_micros().into()))
    }
}

impl From<Micros> for Duration {
    fn from(time: Micros) -> Self {
        Self::from_micros(time.0)
    }
}

#[cfg(test)]
impl Moment {
    /// Returns a moment this long after the start of both clocks.
    pub(super) fn at(monotonic: Duration, system: Duration) -> Self {
        Self { monotonic: Micros::from(monotonic).0, system: Micros::from(system).0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_age_is_the_larger_of_two_differences() {
        let then = Moment::at(10 * SECOND, 100 * SECOND);
        for (monotonic, system, age) in [
            (12, 102, 2),
            // The machine was suspended.
            (12, 400, 300),
            // The system's clock was set back.
            (12, 50, 2),
            (9, 90, 0),
        ] {
            let now = Moment::at(monotonic * SECOND, system * SECOND);
            assert_eq!(Duration::from(then.age(now)), age * SECOND);
        }
    }

    #[test]
    fn a_moment_that_never_came_is_long_ago() {
        let moment = AtomicMoment::default();
        assert!(Duration::from(moment.load().age(Moment::now())) > 1_000_000 * SECOND);
        let now = Moment::now();
        moment.store(now);
        assert_eq!(moment.load().age(now), Micros(0));
    }
}
