//! What the log was told of a server last.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An event of this level if it is news, else one for whoever looks for the cause of something.
macro_rules! tell {
    ($is_news:expr, $level:ident, $($event:tt)+) => {
        if $is_news {
            tracing::$level!($($event)+);
        } else {
            tracing::debug!($($event)+);
        }
    };
}

pub(crate) use tell;

/// What was told of a server last, by whichever of the links to it that share this: one outage is told once, however many runtimes have
/// connections of their own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<AtomicU8>);

/// Nothing yet is 0.
const CONNECTED: u8 = 1;
const DOUBTED: u8 = 2;
const DOWN: u8 = 3;

impl Told {
    /// Whether it is news that there is a connection.
    pub(crate) fn connected(&self) -> bool {
        self.0.swap(CONNECTED, Ordering::Relaxed) != CONNECTED
    }

    /// Whether it is news that a connection was lost, or gives no answer.
    pub(crate) fn doubted(&self) -> bool {
        self.0.compare_exchange(CONNECTED, DOUBTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether it is news that none can be made.
    pub(crate) fn down(&self) -> bool {
        self.0.swap(DOWN, Ordering::Relaxed) != DOWN
    }
}

/// What happens to one request after the other while a server is in trouble, and is told once a minute.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

const BETWEEN_TELLINGS: Duration = Duration::from_secs(60);

impl Seldom {
    /// Whether it is to be told now.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| now.saturating_duration_since(told) >= BETWEEN_TELLINGS);
        if is_due {
            *told = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::Told;

    #[test]
    fn what_one_link_has_told_is_no_news_from_another() {
        let told = Told::default();
        let links = [told.clone(), told];
        assert_eq!(links.each_ref().map(Told::connected), [true, false]);
        assert_eq!(links.each_ref().map(Told::doubted), [true, false]);
        assert_eq!(links.each_ref().map(Told::down), [true, false]);
        assert_eq!(links.each_ref().map(Told::doubted), [false, false]);
        assert_eq!(links.each_ref().map(Told::connected), [true, false]);
    }
}
