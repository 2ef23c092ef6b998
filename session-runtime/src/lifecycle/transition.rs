//! Transitions that plans and reports share.

use std::time::SystemTime;

use super::Lifecycle;
use super::candidate::Candidate;
use super::end::Gone;
use super::known_fields::KnownFields;
use super::metadata::SessionMetadata;
use super::state::State;
use crate::id::SessionId;
use crate::telemetry::LifecycleEvent;

impl Lifecycle {
    /// Treats sessions past their deadline as missing in the store.
    pub(super) fn pass_deadlines(&mut self, now: SystemTime) {
        if let State::Absent { pending, .. } = &mut self.state {
            drop(pending.take_if(|session| session.expires_in(now).is_none()));
        }
        while let State::Candidate { current: Candidate { session, .. }, .. }
        | State::Live { session, .. } = &self.state
        {
            if session.expires_in(now).is_some() {
                return;
            }
            let session = session.clone();
            if matches!(self.state, State::Candidate { .. }) {
                self.others.add_unusable(session.clone());
            }
            self.missing(&session.id, false);
        }
    }

    pub(super) fn go_live(&mut self, session: SessionMetadata, cookie_due: bool, refreshed: bool) {
        self.was_live = true;
        self.facts.travels_as_token |= self.facts.creation_sent && self.facts.begins_with_token();
        self.own_is_destroyed = false;
        self.others.pass_over(self.further.drain(..).map(|candidate| candidate.session));
        self.state = State::Live { session, cookie_due, refreshed, fields: KnownFields::default() };
    }

    /// Goes on with the successors that this request tried to create.
    pub(super) fn try_successors_of(&mut self, id: &SessionId, gone: Option<Gone>) {
        let successors = self.successors_of(id);
        self.further.splice(0..0, successors);
        self.try_next(gone);
    }

    /// Goes on to the next candidate. The cookie of a session that has just ended must not hide a
    /// live session.
    pub(super) fn try_next(&mut self, gone: Option<Gone>) {
        self.state = match gone {
            _ if !self.further.is_empty() => {
                State::Candidate { current: self.further.remove(0), gone }
            }
            Some(gone) => State::Gone(gone),
            None => State::Absent { pending: None, former: self.state.take_session() },
        };
    }

    /// Returns the successors of this session that the request tried to create.
    pub(super) fn successors_of(&self, id: &SessionId) -> Vec<Candidate> {
        let sent = self.rotations.iter().filter(|sent| sent.from.id == *id);
        sent.map(|sent| Candidate { session: sent.to.clone(), cookie_due: true }).collect()
    }

    /// Forgets this session's rotations, except the rotation to the successor in its tombstone.
    pub(super) fn keep_rotation(&mut self, id: &SessionId, successor: Option<SessionId>) {
        self.rotations.retain(|sent| sent.from.id != *id || Some(sent.to.id) == successor);
    }

    /// Notes a creation whose reply was lost or is still to come. The store's reply about the
    /// session proves the creation.
    pub(super) fn note_pending_creation(&mut self, id: &SessionId) {
        if self.state.has_pending() && self.state.has_id(id) {
            self.events.push(LifecycleEvent::Created, Some(id));
        }
    }

    /// Has the response remove the cookie. If some sessions could not be ended, the client keeps
    /// its cookies, so that a further attempt can end them. An earlier success of this request
    /// counts.
    pub(super) fn request_removal(&mut self) {
        if let State::Absent { former, .. } = &mut self.state {
            *former = None;
        }
        self.removal_due |= self.facts.client_has_cookie && !self.others.has_failed();
    }
}
