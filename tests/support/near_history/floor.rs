//! The highest version up to a moment.

use std::time::Instant;

use super::Version;

/// The highest version of all that are known at a moment.
pub(super) struct Floor(Vec<(Instant, Version)>);

impl Floor {
    pub(super) fn new(known: impl IntoIterator<Item = (Instant, Version)>) -> Self {
        let mut known: Vec<_> = known.into_iter().collect();
        known.sort_unstable();
        let mut highest = Version(0);
        for (_, version) in &mut known {
            highest = highest.max(*version);
            *version = highest;
        }
        Self(known)
    }

    /// Returns the highest version that was known before this moment.
    pub(super) fn before(&self, moment: Instant) -> Option<Version> {
        let number = self.0.partition_point(|(known, _)| *known < moment);
        Some(self.0[number.checked_sub(1)?].1)
    }
}
