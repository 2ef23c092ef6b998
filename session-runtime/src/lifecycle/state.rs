//! The states of a request's session.

use super::candidate::Candidate;
use super::end::Gone;
use super::known_fields::KnownFields;
use super::metadata::SessionMetadata;
use crate::id::SessionId;

/// The state of a request's session.
///
/// A candidate becomes live, absent or gone by the store's reply. A live session becomes gone if
/// another request ends the session, and absent if this request does. An id that the store does not
/// have is never adopted. A new session has a new id.
#[derive(Debug)]
pub(super) enum State {
    /// No session. The request has no valid cookie, the deadline has passed, the store does not
    /// have the session, or this request destroyed the session.
    ///
    /// `pending` is the id of a creation that was sent without a known result. All first writes of
    /// the request use this id. `former` is the session of the request's cookie, if the
    /// store no longer has it.
    Absent { pending: Option<SessionMetadata>, former: Option<SessionMetadata> },
    /// A session that may exist. The store was not asked yet. `gone` is a session that the request
    /// tried before.
    Candidate { current: Candidate, gone: Option<Gone> },
    /// The store has the session.
    Live { session: SessionMetadata, cookie_due: bool, refreshed: bool, fields: KnownFields },
    /// Another request ended the session, or the session expired while this request used it.
    Gone(Gone),
}

impl State {
    pub(super) fn session(&self) -> Option<&SessionMetadata> {
        match self {
            Self::Absent { pending, .. } => pending.as_ref(),
            Self::Candidate { current: Candidate { session, .. }, .. }
            | Self::Live { session, .. }
            | Self::Gone(Gone { session, .. }) => Some(session),
        }
    }

    pub(super) fn take_session(&mut self) -> Option<SessionMetadata> {
        match std::mem::take(self) {
            Self::Absent { pending, .. } => pending,
            Self::Candidate { current: Candidate { session, .. }, .. }
            | Self::Live { session, .. }
            | Self::Gone(Gone { session, .. }) => Some(session),
        }
    }

    pub(super) fn has_id(&self, id: &SessionId) -> bool {
        self.session().is_some_and(|session| session.id == *id)
    }

    /// Returns whether the next reply of the store decides on a creation, on a new cookie, or
    /// between several sessions.
    pub(super) fn is_in_doubt(&self) -> bool {
        match self {
            Self::Candidate { current, gone } => current.cookie_due || gone.is_some(),
            Self::Absent { .. } | Self::Gone(_) => true,
            Self::Live { .. } => false,
        }
    }

    /// Returns whether a creation was sent without a known result.
    pub(super) fn has_pending(&self) -> bool {
        matches!(self, Self::Absent { pending: Some(_), .. })
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Absent { pending: None, former: None }
    }
}
