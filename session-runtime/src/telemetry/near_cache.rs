//! The metrics of near caches.

#[cfg(feature = "metrics")]
use super::recorder;
use std::time::Duration;

/// The changes of a near cache since the latest report.
#[derive(Debug, Default)]
pub(crate) struct NearCacheChanges {
    pub(crate) bytes: i64,
    pub(crate) voided: u64,
    pub(crate) evicted: u64,
}

impl NearCacheChanges {
    /// Reports the changes. Call this without a lock, because the program's recorder runs here.
    #[inline]
    pub(crate) fn report(self) {
        #[cfg(feature = "metrics")]
        recorder::record_near_changes(self.bytes, self.voided, self.evicted);
    }
}

/// Records a read of cached fields.
#[inline]
pub(crate) fn record_near_read(_is_hit: bool) {
    #[cfg(feature = "metrics")]
    recorder::count_near_read(_is_hit);
}

/// Records the age of a connection's sign of life, when a read asks for another.
#[inline]
pub(crate) fn record_lease_age(_age: Duration) {
    #[cfg(feature = "metrics")]
    recorder::record_lease_age(_age);
}
