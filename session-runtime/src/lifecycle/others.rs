//! Sessions other than the request's own, from its cookies or from rotations by other requests.

use super::metadata::SessionMetadata;
use crate::id::SessionId;

/// The sessions other than the request's own. A destruction ends these too, so that a logout leaves
/// no session of the same browser behind.
#[derive(Debug, Default)]
pub(super) struct OtherSessions {
    /// Sessions that the request cannot use, because of this process's clock and lifetimes, or
    /// because there are too many.
    unusable: Vec<SessionMetadata>,
    /// Sessions that the request does not use, because another session is live or because these
    /// have ended. A destruction also ends the successors of ended sessions.
    passed_over: Vec<SessionMetadata>,
    /// Sessions that a destruction has yet to end.
    queued: Vec<SessionMetadata>,
    /// Sessions that a destruction could not end. The next destruction tries again.
    failed: Vec<SessionMetadata>,
}

impl OtherSessions {
    pub(super) fn unusable(&self) -> &[SessionMetadata] {
        &self.unusable
    }

    #[inline]
    pub(super) fn set_unusable(&mut self, unusable: Vec<SessionMetadata>) {
        self.unusable = unusable;
    }

    pub(super) fn add_unusable(&mut self, session: SessionMetadata) {
        self.unusable.push(session);
    }

    pub(super) fn remove_unusable(&mut self, id: &SessionId) {
        self.unusable.retain(|session| session.id != *id);
    }

    pub(super) fn pass_over(&mut self, sessions: impl IntoIterator<Item = SessionMetadata>) {
        self.passed_over.extend(sessions);
    }

    /// Queues these sessions for a destruction.
    pub(super) fn queue(&mut self, sessions: impl IntoIterator<Item = SessionMetadata>) {
        self.queued.extend(sessions);
    }

    /// Queues all sessions for a destruction.
    pub(super) fn queue_all(&mut self) {
        self.queued.append(&mut self.passed_over);
        self.queued.append(&mut self.unusable);
    }

    pub(super) fn queued(&self) -> &[SessionMetadata] {
        &self.queued
    }

    /// Records that a session was ended. Returns whether the session was queued.
    pub(super) fn destroyed(&mut self, id: &SessionId) -> bool {
        self.passed_over.retain(|session| session.id != *id);
        self.take_queued(id).is_some()
    }

    /// Records that a session could not be ended. Returns whether the session was queued.
    pub(super) fn destruction_failed(&mut self, id: &SessionId) -> bool {
        let failed = self.take_queued(id);
        let was_queued = failed.is_some();
        self.failed.extend(failed);
        was_queued
    }

    /// Leaves the sessions that could not be ended to the next destruction.
    pub(super) fn retry_failed_later(&mut self) {
        self.passed_over.append(&mut self.failed);
    }

    /// Queues the sessions that could not be ended.
    pub(super) fn queue_failed(&mut self) {
        self.queued.append(&mut self.failed);
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Returns whether a destruction would find no session to end.
    pub(super) fn is_empty(&self) -> bool {
        [&self.queued, &self.passed_over, &self.unusable].iter().all(|sessions| sessions.is_empty())
    }

    fn take_queued(&mut self, id: &SessionId) -> Option<SessionMetadata> {
        let at = self.queued.iter().position(|session| session.id == *id)?;
        Some(self.queued.remove(at))
    }
}
