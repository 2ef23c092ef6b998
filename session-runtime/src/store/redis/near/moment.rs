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
        Self { monotonic: micros(start.elapsed()), system: micros(system) }
    }

    pub(super) fn long_ago() -> Self {
        Self { monotonic: 0, system: 0 }
    }

    /// Returns the age at a later moment.
    pub(super) fn age(self, now: Self) -> Duration {
        let monotonic = now.monotonic.saturating_sub(self.monotonic);
        Duration::from_micros(monotonic.max(now.system.saturating_sub(self.system)))
    }
}

impl AtomicMoment {
    pub(super) fn store(&self, moment: Moment) {
        self.monotonic.store(moment.monotonic, Ordering::Release);
        self.system.store(moment.system, Ordering::Release);
    }

    /// Returns the moment. A moment that was never stored is in 1970.
    pub(super) fn load(&self) -> Moment {
        Moment {
            monotonic: self.monotonic.load(Ordering::Acquire),
            system: self.system.load(Ordering::Acquire),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
impl Moment {
    /// Returns a moment this long after the start of both clocks.
    pub(super) fn at(monotonic: Duration, system: Duration) -> Self {
        Self { monotonic: micros(monotonic), system: micros(system) }
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
            assert_eq!(then.age(now), age * SECOND);
        }
    }

    #[test]
    fn a_moment_that_never_came_is_long_ago() {
        let moment = AtomicMoment::default();
        assert!(moment.load().age(Moment::now()) > 1_000_000 * SECOND);
        let now = Moment::now();
        moment.store(now);
        assert_eq!(moment.load().age(now), Duration::ZERO);
    }
}
