//! Times of a connection: the last use, and the last proof that the server is the master.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Moments of a connection, in milliseconds since the connection was opened.
pub(crate) struct Activity {
    opened: Instant,
    used: AtomicU64,
    master_seen: AtomicU64,
}

/// The time without operations after which a connection may have ended unnoticed, because the
/// process was suspended.
const IDLE: Duration = Duration::from_secs(1);
/// The time for which a server is assumed to be the master without a query for the role.
const PROOF_LASTS: Duration = Duration::from_secs(1);

impl Activity {
    /// Creates the times of a connection. The caller queries the server's role now.
    pub(crate) fn new() -> Self {
        Self { opened: Instant::now(), used: AtomicU64::new(0), master_seen: AtomicU64::new(0) }
    }

    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        self.since(&self.used, now) >= IDLE
    }

    pub(crate) fn record_use(&self, now: Instant) {
        self.used.store(self.moment(now), Ordering::Relaxed);
    }

    /// Returns whether to query the role again. The server may have become a replica.
    pub(crate) fn is_role_check_due(&self, now: Instant) -> bool {
        self.since(&self.master_seen, now) >= PROOF_LASTS
    }

    /// Records that the server was the master after this moment.
    pub(crate) fn record_master(&self, asked_at: Instant) {
        self.master_seen.fetch_max(self.moment(asked_at), Ordering::Relaxed);
    }

    /// Records that the server may be a replica.
    pub(crate) fn doubt_master(&self) {
        self.master_seen.store(0, Ordering::Relaxed);
    }

    fn since(&self, earlier: &AtomicU64, now: Instant) -> Duration {
        Duration::from_millis(self.moment(now).saturating_sub(earlier.load(Ordering::Relaxed)))
    }

    fn moment(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.opened).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_second_a_connection_is_idle_and_its_role_is_checked() {
        let activity = Activity::new();
        let at = |millis| activity.opened + Duration::from_millis(millis);
        assert!(!activity.is_idle(at(999)) && activity.is_idle(at(1000)));
        assert!(!activity.is_role_check_due(at(999)) && activity.is_role_check_due(at(1000)));
        activity.record_use(at(800));
        activity.record_master(at(500));
        assert!(!activity.is_idle(at(1799)) && activity.is_idle(at(1800)));
        activity.record_master(at(400));
        assert!(!activity.is_role_check_due(at(1499)) && activity.is_role_check_due(at(1500)));
    }
}
