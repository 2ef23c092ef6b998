//! The number of a lifetime.

use std::fmt;

/// The number by which an id refers to the configured lifetime of its session. The public name is
/// the *class* of a [`Lifetime`](crate::Lifetime).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct LifetimeId(u8);

impl LifetimeId {
    pub(crate) const fn new(number: u8) -> Self {
        Self(number)
    }

    pub(crate) const fn as_u8(self) -> u8 {
        self.0
    }
}

impl fmt::Display for LifetimeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for LifetimeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
