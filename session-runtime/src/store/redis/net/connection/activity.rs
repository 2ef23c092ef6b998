//! When a connection was used, and when its server was known to be the master.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Moments of one connection, in milliseconds since it was opened.
pub(crate) struct Usage {
    opened: Instant,
    used: AtomicU64,
    proven: AtomicU64,
}

/// After so long without an operation, the end of a connection may have passed unnoticed: the process stood still.
const IDLE: Duration = Duration::from_secs(1);
/// For so long a server is taken for the master without asking it.
const PROOF_LASTS: Duration = Duration::from_secs(1);

impl Usage {
    /// Of a connection whose server is asked for its role now.
    pub(crate) fn new() -> Self {
        Self { opened: Instant::now(), used: AtomicU64::new(0), proven: AtomicU64::new(0) }
    }

    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        self.since(&self.used, now) >= IDLE
    }

    pub(crate) fn note_use(&self, now: Instant) {
        self.used.store(self.moment(now), Ordering::Relaxed);
    }

    /// Whether the server may have become a replica.
    pub(crate) fn is_role_due(&self, now: Instant) -> bool {
        self.since(&self.proven, now) >= PROOF_LASTS
    }

    /// Notes that the server was the master after this moment.
    pub(crate) fn prove_role(&self, asked: Instant) {
        self.proven.fetch_max(self.moment(asked), Ordering::Relaxed);
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
    fn a_second_makes_a_connection_idle_and_its_role_due() {
        let usage = Usage::new();
        let at = |millis| usage.opened + Duration::from_millis(millis);
        assert!(!usage.is_idle(at(999)) && usage.is_idle(at(1000)));
        assert!(!usage.is_role_due(at(999)) && usage.is_role_due(at(1000)));
        usage.note_use(at(800));
        usage.prove_role(at(500));
        assert!(!usage.is_idle(at(1799)) && usage.is_idle(at(1800)));
        usage.prove_role(at(400));
        assert!(!usage.is_role_due(at(1499)) && usage.is_role_due(at(1500)));
    }
}
