//! The system's clock, and a clock that tests can move.

use std::future::pending;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::BoxFuture;

#[cfg(any(test, feature = "testing"))]
#[cfg_attr(
    not(feature = "testing"),
    expect(unreachable_pub, reason = "the crate's own tests use it")
)]
pub use manual::ManualClock;

/// The difference between two times, regardless of the order.
pub(crate) fn abs_diff(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|behind| behind.duration())
}

/// The clock of the manager and of the memory store.
///
/// A clock has two readings, because the system's time may be set back and forth while a program
/// runs. [`now`](Self::now) is the system's time, for creation times and the age of cookies. Other
/// machines can compare this time. [`elapsed`](Self::elapsed) never decreases, and measures
/// expiries within this process. So an expired entry never comes back.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    System {
        started: Instant,
    },
    #[cfg(any(test, feature = "testing"))]
    Manual(ManualClock),
}

impl Clock {
    /// Creates the system's clock.
    pub(crate) fn system() -> Self {
        Self::System { started: Instant::now() }
    }

    /// Returns the time of day on this machine.
    pub(crate) fn now(&self) -> SystemTime {
        match self {
            Self::System { .. } => SystemTime::now(),
            #[cfg(any(test, feature = "testing"))]
            Self::Manual(clock) => clock.now(),
        }
    }

    /// Returns the current moment, to measure the elapsed time later.
    pub(crate) fn moment(&self) -> ClockMoment {
        match self {
            Self::System { .. } => ClockMoment::System(Instant::now()),
            #[cfg(any(test, feature = "testing"))]
            Self::Manual(clock) => ClockMoment::Manual(clock.clone(), clock.elapsed()),
        }
    }

    /// Starts to wait for a test to move the clock. The system's clock is never moved.
    pub(crate) fn moved(&self) -> BoxFuture<'static, ()> {
        match self {
            Self::System { .. } => Box::pin(pending()),
            #[cfg(any(test, feature = "testing"))]
            Self::Manual(clock) => Box::pin(clock.moved()),
        }
    }

    /// Returns the time since the clock was created. Never decreases.
    pub(crate) fn elapsed(&self) -> Duration {
        match self {
            Self::System { started } => started.elapsed(),
            #[cfg(any(test, feature = "testing"))]
            Self::Manual(clock) => clock.elapsed(),
        }
    }
}

/// A moment of a [`Clock`]. Cheaper to take than a reading, because nothing is computed.
#[derive(Debug)]
pub(crate) enum ClockMoment {
    System(Instant),
    #[cfg(any(test, feature = "testing"))]
    Manual(ManualClock, Duration),
}

impl ClockMoment {
    pub(crate) fn elapsed(&self) -> Duration {
        match self {
            Self::System(moment) => moment.elapsed(),
            #[cfg(any(test, feature = "testing"))]
            Self::Manual(clock, moment) => clock.elapsed().saturating_sub(*moment),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(any(test, feature = "testing"))]
mod manual {
    use std::future::Future;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use tokio::sync::watch;

    /// A clock that stands still until a test moves it. Clones share the same time.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use session_runtime::testing::ManualClock;
    ///
    /// let (clock, wait) = (ManualClock::default(), Duration::from_secs(60));
    /// let before = clock.now();
    /// clock.advance(wait);
    /// assert_eq!(clock.now(), before + wait);
    /// ```
    #[derive(Debug, Clone)]
    pub struct ManualClock {
        readings: Arc<watch::Sender<Readings>>,
    }

    #[derive(Debug, Clone, Copy)]
    struct Readings {
        now: SystemTime,
        elapsed: Duration,
    }

    impl ManualClock {
        /// Creates a clock that shows `now`.
        pub fn new(now: SystemTime) -> Self {
            Self {
                readings: Arc::new(watch::Sender::new(Readings { now, elapsed: Duration::ZERO })),
            }
        }

        /// Advances the clock.
        pub fn advance(&self, by: Duration) {
            self.readings.send_modify(|readings| {
                readings.now += by;
                readings.elapsed += by;
            });
        }

        /// Sets the time of day, forwards or backwards, as an administrator or NTP does. No time
        /// elapses.
        pub fn set(&self, now: SystemTime) {
            self.readings.send_modify(|readings| readings.now = now);
        }

        /// Returns the time of day.
        pub fn now(&self) -> SystemTime {
            self.readings.borrow().now
        }

        pub(crate) fn elapsed(&self) -> Duration {
            self.readings.borrow().elapsed
        }

        /// Starts to wait for the next change of the clock.
        pub(super) fn moved(&self) -> impl Future<Output = ()> + use<> {
            let (clock, mut readings) = (self.clone(), self.readings.subscribe());
            async move {
                let _ = readings.changed().await;
                drop(clock);
            }
        }
    }

    impl Default for ManualClock {
        /// Creates a clock that shows a moment in 2033, which never equals the system's time by
        /// accident.
        fn default() -> Self {
            Self::new(UNIX_EPOCH + Duration::from_secs(2_000_000_000))
        }
    }
}
