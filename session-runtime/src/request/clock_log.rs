//! The log of the difference between this machine's clock and the store's clock.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::lifecycle::MAX_CLOCK_SKEW;

/// Half of the skew that ids tolerate. Two machines may be this far off in opposite directions, and
/// still accept each other's sessions.
pub(crate) const MAX_DISTANCE: Duration = Duration::from_secs(MAX_CLOCK_SKEW.as_secs() / 2);
/// A difference above this limit is logged as a warning.
pub(crate) const WARNING_DISTANCE: Duration = Duration::from_secs(30);
pub(crate) const CLOCKS_DIFFER: &str = "the clocks of this machine and of the session store differ: synchronize them, for example \
     with NTP";

/// The worst level logged since the clocks last agreed. Health checks run every few seconds, so
/// each level is logged only once.
#[derive(Debug, Default)]
pub(crate) struct ClockLog(AtomicU8);

const FINE: u8 = 0;
const WARNED: u8 = 1;
const ALARMED: u8 = 2;

impl ClockLog {
    /// Logs the difference if the level is worse than the last level that was logged.
    pub(crate) fn record(&self, distance: Duration) {
        if distance < WARNING_DISTANCE / 2 {
            self.0.store(FINE, Ordering::Relaxed);
        }
        let seconds = distance.as_secs();
        if distance > MAX_DISTANCE && self.is_worse(ALARMED) {
            tracing::error!(
                seconds,
                "the clocks of this machine and of the session store are too far apart: other \
                 machines may refuse sessions that are created here. Synchronize the clocks, for \
                 example with NTP"
            );
        } else if distance > WARNING_DISTANCE && self.is_worse(WARNED) {
            tracing::warn!(seconds, "{CLOCKS_DIFFER}");
        }
    }

    fn is_worse(&self, verdict: u8) -> bool {
        self.0.fetch_max(verdict, Ordering::Relaxed) < verdict
    }
}
