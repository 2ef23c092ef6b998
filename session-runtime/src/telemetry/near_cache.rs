//! The metrics of near caches.

use std::time::Duration;

/// The metrics of a near cache.
pub(crate) struct NearCacheMetrics;

#[cfg(feature = "metrics")]
impl NearCacheMetrics {
    pub(crate) fn read(&self, is_hit: bool) {
        super::recorder::count_near_read(is_hit);
    }

    /// Records the age of a connection's sign of life, when a read has found a new one due.
    pub(crate) fn lease_is_due(&self, age: Duration) {
        super::recorder::record_lease_age(age);
    }

    /// Records the sessions that went, and the size before and after.
    pub(crate) fn changed(&self, voided: usize, evicted: usize, before: usize, after: usize) {
        super::recorder::count_near_losses(voided as u64, evicted as u64);
        if before != after {
            super::recorder::near_bytes().increment(after as f64 - before as f64);
        }
    }
}

#[cfg(not(feature = "metrics"))]
impl NearCacheMetrics {
    pub(crate) fn read(&self, _is_hit: bool) {}

    pub(crate) fn lease_is_due(&self, _age: Duration) {}

    pub(crate) fn changed(&self, _voided: usize, _evicted: usize, _before: usize, _after: usize) {}
}
