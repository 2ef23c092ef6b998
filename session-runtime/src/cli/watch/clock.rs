//! The clock of the server.

use std::time::SystemTime;

use tokio::time::Instant;

/// The clock of the server, seen from here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    theirs: SystemTime,
    ours: SystemTime,
}

/// A moment by the clock of the server, and by a clock that nobody sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: SystemTime,
    pub(super) at: Instant,
}

impl Clock {
    /// Creates the clock that shows this time now.
    pub(super) fn showing(theirs: SystemTime) -> Self {
        Self { theirs, ours: SystemTime::now() }
    }

    pub(super) fn now(self) -> Moment {
        Moment { time: self.at(SystemTime::now()), at: Instant::now() }
    }

    /// Returns the time there for a time of the clock here.
    fn at(self, ours: SystemTime) -> SystemTime {
        let theirs = match ours.duration_since(self.ours) {
            Ok(since) => self.theirs.checked_add(since),
            Err(earlier) => self.theirs.checked_sub(earlier.duration()),
        };
        theirs.unwrap_or(ours)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_time_is_that_of_the_server() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let clock = Clock { theirs: at(1_000), ours: at(5_000) };
        for (ours, theirs) in [(5_000, 1_000), (5_001, 1_001), (4_999, 999)] {
            assert_eq!(clock.at(at(ours)), at(theirs));
        }
    }
}
