//! The time for which a connection's values count.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::moment::{AtomicMoment, Micros, Moment};
use crate::store::{SessionKey, Source};
use crate::telemetry::record_lease_age;

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
    /// The time of the question for a sign of life that is under way.
    asked: Mutex<Option<Moment>>,
    connection: OnceLock<Weak<dyn SignOfLife>>,
    /// The server has refused a command that is needed to keep values.
    is_refused: AtomicBool,
}

/// A connection that can ask its server for a sign of life.
pub(crate) trait SignOfLife: Send + Sync {
    /// Asks whether the server is the master and has the slot of the key, without waiting. Records
    /// the answer at the lease of the connection, and that the question is over.
    fn ask(self: Arc<Self>, key: &SessionKey);
}

/// The longest wait for an answer. A server that answers later is asked once more.
pub(crate) const LONGEST_QUESTION: Duration = Duration::from_secs(5);

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
            is_refused: AtomicBool::new(false),
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

    /// Gives up keeping values of this connection.
    pub(crate) fn refuse(&self) {
        self.is_refused.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// Records that no question is under way any more.
    pub(crate) fn question_over(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Ends what came over the connection until now.
    pub(crate) fn void(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Returns whether values of this epoch still count. Ask for the age of the latest sign of life
    /// before. If all ended before that sign of life, the end is then seen here.
    pub(super) fn holds(&self, epoch: u64) -> bool {
        self.epoch() == epoch && !self.source.has_ended()
    }

    /// Returns the age of the latest sign of life.
    pub(super) fn age(&self, now: Moment) -> Micros {
        self.answered.load().age(now)
    }

    /// Asks for a sign of life if the latest is older than this, and no question is under way.
    pub(super) fn ask_if_older(&self, than: Micros, now: Moment, key: &SessionKey) {
        let age = self.age(now);
        if age < than {
            return;
        }
        // Another reader that has the lock is asking.
        let Ok(mut asked) = self.asked.try_lock() else { return };
        if asked.is_some_and(|asked| asked.age(now) < LONGEST_QUESTION.into()) {
            return;
        }
        if let Some(connection) = self.connection.get().and_then(Weak::upgrade) {
            *asked = Some(now);
            drop(asked);
            if self.answered.is_set() {
                record_lease_age(age.into());
            }
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

    fn micros(seconds: u32) -> Micros {
        (seconds * SECOND).into()
    }

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
        assert!(lease.age(at(0)) >= micros(1_000_000));
        lease.answered(at(1));
        assert_eq!(lease.age(at(6)), micros(5));
        assert!(lease.holds(0));
        lease.void();
        assert!(!lease.holds(0) && lease.holds(1));
        source.end();
        assert!(!lease.holds(1));
    }

    #[test]
    fn one_reader_at_a_time_asks_for_a_sign_of_life() {
        let (lease, connection) = (Lease::new(Source::default()), Arc::<Connection>::default());
        let key = SessionKey::new("app", &SessionId::parse(&"A".repeat(40)).unwrap());
        let as_life: Arc<dyn SignOfLife> = connection.clone();
        lease.begin(Arc::downgrade(&as_life));
        drop(as_life);
        for (now, asked) in [(10, 1), (10, 1), (14, 1), (15, 2)] {
            lease.ask_if_older(micros(3), at(now), &key);
            assert_eq!(*connection.0.lock().unwrap(), asked, "at {now}");
        }
        lease.answered(at(15));
        lease.question_over();
        for (now, asked) in [(17, 2), (18, 3)] {
            lease.ask_if_older(micros(3), at(now), &key);
            assert_eq!(*connection.0.lock().unwrap(), asked, "at {now}");
        }
        drop(connection);
        lease.ask_if_older(micros(3), at(20), &key);
    }
}
