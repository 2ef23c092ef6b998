//! Events in the life of sessions.

/// An event in a session's life that a request notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LifecycleEvent {
    Created,
    /// The session has a new id.
    Rotated,
    Destroyed,
    /// A request holds the id of a session that is not there: its time has passed, or the store has
    /// lost it.
    Expired,
    /// A cookie of our name came that no key of ours has signed. It names no session.
    Forged,
}

impl LifecycleEvent {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rotated => "rotated",
            Self::Destroyed => "destroyed",
            Self::Expired => "expired",
            Self::Forged => "forged",
        }
    }
}
