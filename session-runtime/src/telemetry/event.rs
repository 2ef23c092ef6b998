//! Events in the lives of sessions.

/// An event in a session's life that a request notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LifecycleEvent {
    Created,
    /// The session has a new id.
    Rotated,
    Destroyed,
    /// A request has the id of a session that is missing, because the session expired or the store
    /// lost it.
    Expired,
    /// A session cookie came that no configured key has signed. No session belongs to the cookie.
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
