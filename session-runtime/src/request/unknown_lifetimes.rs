//! Sessions in use without a configured lifetime.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::LifetimeId;

/// The classes of sessions without a configured lifetime. Each class is logged once.
#[derive(Default)]
pub(super) struct UnknownLifetimes([AtomicU64; 4]);

impl UnknownLifetimes {
    /// Logs a warning at the first use of the class.
    pub(super) fn warn_once(&self, lifetime: LifetimeId) {
        let class = lifetime.as_u8();
        if self.is_new(class) {
            tracing::warn!(
                class,
                "sessions of a class without a configured lifetime are in use: the strictest \
                 configured lifetime applies to them. Add the class with \
                 `SessionConfig::lifetime`"
            );
        }
    }

    fn is_new(&self, class: u8) -> bool {
        let bit = 1 << (class % 64);
        let known = &self.0[usize::from(class / 64)];
        known.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unknown_class_is_new_once() {
        let classes = UnknownLifetimes::default();
        for class in 0..=u8::MAX {
            assert!(classes.is_new(class) && !classes.is_new(class), "{class}");
        }
    }
}
