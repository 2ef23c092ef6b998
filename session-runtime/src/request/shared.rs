//! A shared value, and the number of holders that may use this value.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// A shared value. Each clone counts as a holder. A [dormant](Self::dormant) value does not count
/// until cloned.
pub(crate) struct Shared<T> {
    inner: Arc<Inner<T>>,
    is_counted: bool,
}

/// A weak link to a shared value, which does not keep the value alive.
pub(crate) struct Link<T>(Weak<Inner<T>>);

struct Inner<T> {
    value: T,
    holders: AtomicUsize,
}

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { inner: Arc::new(Inner { value, holders: AtomicUsize::new(1) }), is_counted: true }
    }

    /// Returns a value for a place that only stores the value for later use.
    pub(crate) fn dormant(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), is_counted: false }
    }

    pub(crate) fn holders(&self) -> usize {
        self.inner.holders.load(Ordering::Relaxed)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn link(&self) -> Link<T> {
        Link(Arc::downgrade(&self.inner))
    }

    fn counted(inner: Arc<Inner<T>>) -> Self {
        inner.holders.fetch_add(1, Ordering::Relaxed);
        Self { inner, is_counted: true }
    }
}

impl<T> Link<T> {
    pub(crate) fn follow(&self) -> Option<Shared<T>> {
        self.0.upgrade().map(Shared::counted)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self::counted(Arc::clone(&self.inner))
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.is_counted {
            self.inner.holders.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_holders_and_dormant_ones_are_not() {
        let shared = Shared::new(7);
        let (link, dormant) = (shared.link(), shared.dormant());
        assert_eq!((shared.holders(), *dormant), (1, 7));
        let [clone, awake, followed] = [shared.clone(), dormant.clone(), link.follow().unwrap()];
        assert!(shared.holders() == 4 && followed.is_same(&awake));
        drop((clone, awake, followed));
        assert_eq!(shared.holders(), 1);
        drop(shared);
        assert_eq!(dormant.holders(), 0);
        drop(dormant);
        assert!(link.follow().is_none());
    }
}
