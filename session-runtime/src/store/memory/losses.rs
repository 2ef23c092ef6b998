//! Losses for want of room, counted and logged now and then.

use std::time::Duration;

/// The time between two lines of the log: a flood of visitors must not flood the log as well.
const INTERVAL: Duration = Duration::from_secs(60);

/// The losses that are not in the log yet, and the time of its last line.
#[derive(Debug, Default)]
pub(super) struct LossLog {
    pending: LossCounters,
    logged_at: Option<Duration>,
}

/// Losses for want of room.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct LossCounters {
    /// Writes that were refused.
    pub(super) refused: u64,
    /// Live sessions that made room.
    pub(super) evicted: u64,
    /// Tombstones that made room, or got none.
    pub(super) forgotten: u64,
}

impl LossLog {
    pub(super) fn pending(&mut self) -> &mut LossCounters {
        &mut self.pending
    }

    /// Takes the losses of the next line: the first loss at once, the others a minute later.
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
