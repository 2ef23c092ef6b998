//! The latest answer of the store to a check.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::ClockMoment;

/// The latest answer of the store to a check of its health or its clock.
#[derive(Debug, Default)]
pub(super) struct SignOfLife(Mutex<Option<ClockMoment>>);

impl SignOfLife {
    pub(super) fn record(&self, now: ClockMoment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Returns the time since the answer. `None` means that the store has not answered yet.
    pub(super) fn age(&self) -> Option<Duration> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.as_ref().map(ClockMoment::elapsed)
    }
}
