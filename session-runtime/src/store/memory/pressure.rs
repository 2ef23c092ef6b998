//! What becomes of sessions for want of room, told now and then.

use std::time::Duration;

/// How long the next line waits for: a flood must not flood the log as well.
const QUIET_FOR: Duration = Duration::from_secs(60);

/// What has happened for want of room since it was told.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    untold: Told,
    told_at: Option<Duration>,
}

/// What has happened for want of room.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Writes that were refused.
    pub(super) refused: u64,
    /// Live sessions that made room.
    pub(super) evicted: u64,
    /// Tombstones that made room, or got none.
    pub(super) forgotten: u64,
}

impl Pressure {
    pub(super) fn note(&mut self, what: impl FnOnce(&mut Told)) {
        what(&mut self.untold);
    }

    /// What is to be told now: the first thing at once, the rest a minute later.
    pub(super) fn due(&mut self, now: Duration) -> Option<Told> {
        let is_quiet = self.told_at.is_some_and(|told_at| now.saturating_sub(told_at) < QUIET_FOR);
        if is_quiet || self.untold == Told::default() {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

impl Told {
    pub(super) fn tell(self) {
        let Self { refused, evicted, forgotten } = self;
        tracing::warn!(
            refused,
            evicted,
            forgotten,
            "the memory store for sessions is full: writes were refused, sessions evicted or tombstones forgotten"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_rest_a_minute_later() {
        let mut pressure = Pressure::default();
        assert_eq!(pressure.due(Duration::ZERO), None);
        let told = |evicted| Some(Told { evicted, ..Told::default() });
        for (second, expected) in
            [(0, told(1)), (1, None), (59, None), (60, told(3)), (61, None), (120, told(2))]
        {
            pressure.note(|told| told.evicted += 1);
            assert_eq!(pressure.due(Duration::from_secs(second)), expected, "{second}");
        }
        assert_eq!(pressure.due(Duration::from_secs(1000)), None);
    }
}
