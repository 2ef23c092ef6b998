//! Counts what a full store loses, and logs the losses at intervals.

use std::time::Duration;

/// The time between two log lines, so that a flood of visitors does not flood the log.
const INTERVAL: Duration = Duration::from_secs(60);

/// The losses that are not logged yet, and the time of the last log line.
#[derive(Debug, Default)]
pub(super) struct LossLog {
    pending: LossCounters,
    logged_at: Option<Duration>,
}

/// Losses of a full store.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct LossCounters {
    /// The number of refused writes.
    pub(super) refused: u64,
    /// The number of evicted live sessions.
    pub(super) evicted: u64,
    /// The number of tombstones that were removed, or not stored.
    pub(super) forgotten: u64,
}

impl LossLog {
    pub(super) fn pending(&mut self) -> &mut LossCounters {
        &mut self.pending
    }

    /// Takes the losses for the next log line. The first loss is logged at once, later losses after
    /// a minute.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<LossCounters> {
        let is_early =
            self.logged_at.is_some_and(|logged_at| now.saturating_sub(logged_at) < INTERVAL);
        if is_early || self.pending == LossCounters::default() {
            return None;
        }
        self.logged_at = Some(now);
        Some(std::mem::take(&mut self.pending))
    }
}

impl LossCounters {
    pub(super) fn log(self) {
        let Self { refused, evicted, forgotten } = self;
        tracing::warn!(
            refused,
            evicted,
            forgotten,
            "the memory store for sessions is full: writes were refused, sessions evicted or \
             tombstones forgotten"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_logged_at_once_and_the_rest_a_minute_later() {
        let mut losses = LossLog::default();
        assert_eq!(losses.take_due(Duration::ZERO), None);
        let lost = |evicted| Some(LossCounters { evicted, ..LossCounters::default() });
        for (second, expected) in
            [(0, lost(1)), (1, None), (59, None), (60, lost(3)), (61, None), (120, lost(2))]
        {
            losses.pending().evicted += 1;
            assert_eq!(losses.take_due(Duration::from_secs(second)), expected, "{second}");
        }
        assert_eq!(losses.take_due(Duration::from_secs(1000)), None);
    }
}
