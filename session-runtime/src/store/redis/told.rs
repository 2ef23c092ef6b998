//! What the log was told of a server last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What was told of a server last, by whichever of the links to it that share this: one outage is told once, however many runtimes have
/// connections of their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<AtomicU8>);

/// Nothing yet is 0.
const CONNECTED: u8 = 1;
const DOUBTED: u8 = 2;
const DOWN: u8 = 3;

impl Told {
    /// Whether it is news that there is a connection.
    pub(super) fn connected(&self) -> bool {
        self.0.swap(CONNECTED, Ordering::Relaxed) != CONNECTED
    }

    /// Whether it is news that a connection was lost, or gives no answer.
    pub(super) fn doubted(&self) -> bool {
        self.0.compare_exchange(CONNECTED, DOUBTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether it is news that none can be made.
    pub(super) fn down(&self) -> bool {
        self.0.swap(DOWN, Ordering::Relaxed) != DOWN
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
