//! What becomes of sessions.

use tracing::field;

use crate::id::SessionId;

/// A moment in a session's life that a request learns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Created,
    /// It has a new id.
    Rotated,
    Destroyed,
    /// A request holds its id, and it is not there: its time has passed, or the store has lost it.
    Expired,
    /// A cookie of our name came that no key of ours has signed. It names no session.
    Forged,
}

impl Moment {
    /// Of the id, the tag is told.
    pub(crate) fn tell(self, id: Option<&SessionId>) {
        tracing::debug!(
            target: "session_runtime::lifecycle",
            event = self.name(),
            session = id.map(field::display),
            "session lifecycle"
        );
        #[cfg(feature = "metrics")]
        super::recorder::moment(self);
    }

    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rotated => "rotated",
            Self::Destroyed => "destroyed",
            Self::Expired => "expired",
            Self::Forged => "forged",
        }
    }
}
