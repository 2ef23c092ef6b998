//! Access to a request's life cycle.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::lifecycle::Lifecycle;
use crate::telemetry::EventFlush;

/// Exclusive access to the life cycle. Queued events are emitted after the unlock, because
/// subscribers may access the session too.
pub(super) struct LifecycleGuard<'a> {
    lifecycle: MutexGuard<'a, Lifecycle>,
    // Fields are dropped in order, so this is dropped after the unlock.
    flush: Option<EventFlush>,
}

impl<'a> LifecycleGuard<'a> {
    #[inline]
    pub(super) fn lock(lifecycle: &'a Mutex<Lifecycle>) -> Self {
        let lifecycle = lifecycle.lock().unwrap_or_else(PoisonError::into_inner);
        Self { lifecycle, flush: None }
    }
}

impl Drop for LifecycleGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.flush = self.lifecycle.take_events();
    }
}

impl Deref for LifecycleGuard<'_> {
    type Target = Lifecycle;

    fn deref(&self) -> &Lifecycle {
        &self.lifecycle
    }
}

impl DerefMut for LifecycleGuard<'_> {
    fn deref_mut(&mut self) -> &mut Lifecycle {
        &mut self.lifecycle
    }
}
