//! A sender of news about changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A sender of news about changes, such as a connection, until it ends.
#[derive(Clone, Default)]
pub(crate) struct Source(Arc<AtomicBool>);

impl Source {
    /// Ends the source. Returns `false` for a source that has ended before.
    #[cfg(feature = "redis")]
    pub(crate) fn end(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    #[cfg(feature = "redis")]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
