//! The freshness that a read needs.

/// The freshness that a read needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The value that the store has now.
    Current,
    /// A value from the near cache will do, if there is one.
    MayBeCached,
    /// The same, but the near cache has no such value. The reply may be kept.
    WasNotKept,
}

impl Freshness {
    pub(crate) fn of(is_cached: bool) -> Self {
        if is_cached { Self::MayBeCached } else { Self::Current }
    }
}
