//! Logs each outage once, even if several connections notice the outage.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Logs an event at this level the first time, and at the level debug otherwise.
macro_rules! log_first {
    ($is_first:expr, $level:ident, $($event:tt)+) => {
        if $is_first {
            tracing::$level!($($event)+);
        } else {
            tracing::debug!($($event)+);
        }
    };
}

pub(crate) use log_first;

/// The state of a server that was logged last. All links to the server share this state. An outage
/// is logged once, even if several runtimes have separate connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutageLog(Arc<AtomicU8>);

/// The initial value 0 means that nothing was logged yet.
const CONNECTED: u8 = 1;
const SUSPECTED: u8 = 2;
const DOWN: u8 = 3;

impl OutageLog {
    /// Records a new connection. Returns whether the state is new.
    pub(crate) fn record_connected(&self) -> bool {
        self.0.swap(CONNECTED, Ordering::Relaxed) != CONNECTED
    }

    /// Records that a connection was lost or does not answer. Returns whether the state is new.
    pub(crate) fn record_suspected(&self) -> bool {
        self.0.compare_exchange(CONNECTED, SUSPECTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Records that connecting has failed. Returns whether the state is new.
    pub(crate) fn record_down(&self) -> bool {
        self.0.swap(DOWN, Ordering::Relaxed) != DOWN
    }
}

/// Limits an event to once a minute. A server in trouble may cause the event with every request.
#[derive(Debug, Default)]
pub(crate) struct LogThrottle(Mutex<Option<Instant>>);

const INTERVAL: Duration = Duration::from_secs(60);

impl LogThrottle {
    /// Returns whether to log the event now.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut logged_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = logged_at.is_none_or(|at| now.saturating_duration_since(at) >= INTERVAL);
        if is_due {
            *logged_at = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::OutageLog;

    #[test]
    fn an_outage_logged_by_one_link_is_not_logged_by_another() {
        let log = OutageLog::default();
        let links = [log.clone(), log];
        assert_eq!(links.each_ref().map(OutageLog::record_connected), [true, false]);
        assert_eq!(links.each_ref().map(OutageLog::record_suspected), [true, false]);
        assert_eq!(links.each_ref().map(OutageLog::record_down), [true, false]);
        assert_eq!(links.each_ref().map(OutageLog::record_suspected), [false, false]);
        assert_eq!(links.each_ref().map(OutageLog::record_connected), [true, false]);
    }
}
