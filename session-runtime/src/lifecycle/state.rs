//! The states of one request's session.

use super::candidate::Candidate;
use super::end::Gone;
use super::known_fields::KnownFields;
use super::metadata::SessionMetadata;
use crate::id::SessionId;

/// The state of one request's session.
///
/// A candidate becomes live, absent or gone by the store's reply. A live session becomes gone if
/// another request ends it, and absent if this one does. An id that the store did not know is never
/// adopted: a new session has a new id.
#[derive(Debug)]
pub(super) enum State {
    /// No session: no cookie that verifies, or past its deadline, or the store does not know it, or
    /// destroyed by this request.
    ///
    /// `pending` is the id of a creation that was sent and is not known to have happened. All first
    /// writes of the request use it.
    Absent { pending: Option<SessionMetadata> },
    /// A session that may be there. The store was not asked for it yet. `gone` is one that the
    /// request tried before.
    Candidate { current: Candidate, gone: Option<Gone> },
    /// The store has it.
    Live { session: SessionMetadata, cookie_due: bool, refreshed: bool, fields: KnownFields },
    /// Ended by another request, or expired while this one held it.
    Gone(Gone),
}

impl State {
    pub(super) fn session(&self) -> Option<&SessionMetadata> {
        match self {
            Self::Absent { pending } => pending.as_ref(),
            Self::Candidate { current: Candidate { session, .. }, .. }
            | Self::Live { session, .. }
            | Self::Gone(Gone { session, .. }) => Some(session),
        }
    }

    pub(super) fn take_session(&mut self) -> Option<SessionMetadata> {
        match std::mem::take(self) {
            Self::Absent { pending } => pending,
            Self::Candidate { current: Candidate { session, .. }, .. }
            | Self::Live { session, .. }
            | Self::Gone(Gone { session, .. }) => Some(session),
        }
    }

    pub(super) fn has_id(&self, id: &SessionId) -> bool {
        self.session().is_some_and(|session| session.id == *id)
    }

    /// Returns whether a creation was sent that is not known to have happened.
    pub(super) fn has_pending(&self) -> bool {
        matches!(self, Self::Absent { pending: Some(_) })
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Absent { pending: None }
    }
}
