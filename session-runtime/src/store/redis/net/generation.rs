//! How long the server at a place can be taken for the master.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The reigns of the server at one place, counted. All connections there share them, whichever runtime drives them.
///
/// Each connection belongs to the reign in which it was opened. A reply that only a replica gives ends that reign, and with
/// it the use of every connection of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reigns(Arc<AtomicU64>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reign(u64);

impl Reigns {
    pub(crate) fn current(&self) -> Reign {
        Reign(self.0.load(Ordering::Acquire))
    }

    /// Ends this one, unless it is over.
    pub(crate) fn end(&self, Reign(number): Reign) {
        let _ = self.0.compare_exchange(number, number + 1, Ordering::AcqRel, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Reigns;

    #[test]
    fn a_reign_ends_once_and_for_all_connections() {
        let reigns = Reigns::default();
        let (first, of_another) = (reigns.current(), reigns.clone());
        of_another.end(first);
        let second = reigns.current();
        assert_ne!(first, second);
        reigns.end(first);
        assert_eq!(of_another.current(), second);
    }
}
