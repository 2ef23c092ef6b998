//! The time for which a connection's values count.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use super::moment::{AtomicMoment, Moment};
use crate::store::{SessionKey, Source};

/// The time for which the values count that came over a connection.
///
/// The server tells of changes over the same connection, in order with its replies. So a value was
/// current at the latest sign of life whose reply came after no news of a change.
pub(crate) struct Lease {
    /// Distinguishes the connection from all others, also from later ones.
    id: u64,
    source: Source,
    /// Counts the moments at which all earlier values ceased to count.
    epoch: AtomicU64,
    /// The time when the latest sign of life that was answered had been sent.
    answered: AtomicMoment,
    /// The time of the latest question for a sign of life.
    asked: Mutex<Option<Moment>>,
    connection: OnceLock<Weak<dyn SignOfLife>>,
}

/// A connection that can ask its server for a sign of life.
pub(crate) trait SignOfLife: Send + Sync {
    /// Asks whether the server is the master and has the slot of the key, without waiting. Records
    /// the answer at the lease of the connection.
    fn ask(self: Arc<Self>, key: &SessionKey);
}

impl Lease {
    pub(crate) fn new(source: Source) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            source,
            epoch: AtomicU64::new(0),
            answered: AtomicMoment::default(),
            asked: Mutex::default(),
            connection: OnceLock::new(),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Sets the connection, which is in use from now on.
    pub(crate) fn begin(&self, connection: Weak<dyn SignOfLife>) {
        let _ = self.connection.set(connection);
    }

    /// Records a sign of life that was sent at this moment.
    pub(crate) fn answered(&self, sent: Moment) {
        self.answered.store(sent);
    }

    /// Ends what came over the connection until now.
    pub(crate) fn void(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Returns whether a value of this epoch counts, and was current this long ago at most.
    ///
    /// The order matters. If all ended before the latest sign of life, the end is seen here.
    pub(super) fn holds(&self, epoch: u64, now: Moment, at_most: Duration) -> bool {
        self.age(now) <= at_most && self.epoch() == epoch && !self.source.has_ended()
    }

    /// Returns the age of the latest sign of life.
    pub(super) fn age(&self, now: Moment) -> Duration {
        self.answered.load().age(now)
    }

    /// Asks for a sign of life if the latest is older than this, and if none was sent since.
    pub(super) fn ask_if_older(&self, than: Duration, now: Moment, key: &SessionKey) {
        if self.age(now) < than {
            return;
        }
        // Another reader that has the lock is asking.
        let Ok(mut asked) = self.asked.try_lock() else { return };
        if asked.is_some_and(|asked| asked.age(now) < than) {
            return;
        }
        if let Some(connection) = self.connection.get().and_then(Weak::upgrade) {
            *asked = Some(now);
            connection.ask(key);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{SessionId, SessionKey};

    const SECOND: Duration = Duration::from_secs(1);

    #[derive(Default)]
    struct Connection(Mutex<usize>);

    impl SignOfLife for Connection {
        fn ask(self: Arc<Self>, _: &SessionKey) {
            *self.0.lock().unwrap() += 1;
        }
    }

    fn at(seconds: u32) -> Moment {
        Moment::at(seconds * SECOND, 1_000_000 * SECOND + seconds * SECOND)
    }

    #[test]
    fn values_count_for_a_time_after_a_sign_of_life() {
        let source = Source::default();
        let lease = Lease::new(source.clone());
        assert!(!lease.holds(0, at(0), 5 * SECOND));
        lease.answered(at(1));
        assert!(lease.holds(0, at(6), 5 * SECOND) && !lease.holds(0, at(7), 5 * SECOND));
        lease.void();
        assert!(!lease.holds(0, at(2), 5 * SECOND) && lease.holds(1, at(2), 5 * SECOND));
        source.end();
        assert!(!lease.holds(1, at(2), 5 * SECOND));
    }

    #[test]
    fn one_reader_at_a_time_asks_for_a_sign_of_life() {
        let (lease, connection) = (Lease::new(Source::default()), Arc::<Connection>::default());
        let key = SessionKey::new("app", &SessionId::parse(&"A".repeat(40)).unwrap());
        let as_life: Arc<dyn SignOfLife> = connection.clone();
        lease.begin(Arc::downgrade(&as_life));
        drop(as_life);
        for (now, asked) in [(10, 1), (10, 1), (12, 1), (13, 2)] {
            lease.ask_if_older(3 * SECOND, at(now), &key);
            assert_eq!(*connection.0.lock().unwrap(), asked, "at {now}");
        }
        lease.answered(at(13));
        lease.ask_if_older(3 * SECOND, at(15), &key);
        assert_eq!(*connection.0.lock().unwrap(), 2);
        drop(connection);
        lease.ask_if_older(3 * SECOND, at(20), &key);
    }
}
