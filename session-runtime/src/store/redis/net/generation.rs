//! Generations of connections, which limit how long the server at an endpoint counts as the master.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the generations of the connections to one endpoint. All connections to the endpoint share
/// the counter, on every runtime.
///
/// Each connection belongs to the generation in which the connection was opened. A reply that only
/// a replica gives retires that generation, with all connections in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct GenerationCounter(Arc<AtomicU64>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Generation(u64);

impl GenerationCounter {
    pub(crate) fn current(&self) -> Generation {
        Generation(self.0.load(Ordering::Acquire))
    }

    /// Starts the next generation, unless this generation is already retired.
    pub(crate) fn retire(&self, Generation(number): Generation) {
        let _ = self.0.compare_exchange(number, number + 1, Ordering::AcqRel, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::GenerationCounter;

    #[test]
    fn a_generation_is_retired_once_and_for_all_connections() {
        let generations = GenerationCounter::default();
        let (first, of_another) = (generations.current(), generations.clone());
        of_another.retire(first);
        let second = generations.current();
        assert_ne!(first, second);
        generations.retire(first);
        assert_eq!(of_another.current(), second);
    }
}
