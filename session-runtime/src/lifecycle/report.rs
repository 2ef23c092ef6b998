//! Reports: the store's replies to reads, writes and rotations.

use super::Lifecycle;
use super::candidate::Candidate;
use super::end::{End, Gone, RequestAge};
use super::metadata::SessionMetadata;
use super::plan::PlannedRotation;
use super::state::State;
use crate::error::{Error, Kind};
use crate::id::SessionId;
use crate::store::Tombstone;
use crate::telemetry::LifecycleEvent;

/// How an operation goes on after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask for a new plan.
    Replan,
    /// Nothing is left to do: there is nothing to read, to remove or to end.
    Done,
}

impl Lifecycle {
    /// The store has this session.
    pub(crate) fn found(&mut self, id: &SessionId, refreshed: bool) {
        self.refused(id);
        let cookie_due = match &mut self.state {
            State::Candidate { current, .. } if current.session.id == *id => {
                if self.rotations.iter().any(|sent| sent.to.id == *id) {
                    self.events.push(LifecycleEvent::Rotated, Some(id));
                }
                current.cookie_due
            }
            // Created too late for a cookie: it stays unreachable, and expires.
            State::Absent { .. } if self.headers_sent => return,
            State::Absent { pending: Some(session) } if session.id == *id => {
                self.events.push(LifecycleEvent::Created, Some(id));
                true
            }
            State::Live { session, refreshed: before, .. } if session.id == *id => {
                *before |= refreshed;
                return;
            }
            _ => return,
        };
        if let Some(session) = self.state.take_session() {
            self.go_live(session, cookie_due, refreshed);
        }
    }

    /// The store carried out a write that was allowed to create this session. `Replan`: meanwhile
    /// the request's session became another one, and the write has to go there.
    ///
    /// # Errors
    ///
    /// `is_headers_sent` if it was created while the response's head was sent, without its cookie.
    pub(crate) fn created(&mut self, id: &SessionId) -> Result<Next, Error> {
        self.found(id, true);
        match &self.state {
            State::Live { session, .. } | State::Gone(Gone { session, .. })
                if session.id == *id =>
            {
                Ok(Next::Done)
            }
            State::Absent { pending: Some(session) } if session.id == *id => {
                Err(Error::new(Kind::HeadersSent))
            }
            // It was carried out before the session was rotated, and went along: not once more.
            _ if self.rotations.iter().any(|sent| sent.from.id == *id) => Ok(Next::Done),
            _ => Ok(Next::Replan),
        }
    }

    /// The store did not know this session. `resolves_pending` is the plan's: the creation that it
    /// asked for may have happened since.
    pub(crate) fn missing(&mut self, id: &SessionId, resolves_pending: bool) -> Next {
        match &mut self.state {
            State::Live { session, .. } if session.id == *id && resolves_pending => {
                return Next::Done;
            }
            State::Absent { pending: Some(session) } if session.id == *id => return Next::Done,
            State::Candidate { current, gone } if current.session.id == *id => {
                let gone = gone.take();
                self.events.push(LifecycleEvent::Expired, Some(id));
                self.try_next(gone);
            }
            State::Live { session, .. } if session.id == *id => {
                self.events.push(LifecycleEvent::Expired, Some(id));
                self.state = State::Gone(Gone { session: session.clone(), end: End::Expired });
            }
            _ => {}
        }
        Next::Replan
    }

    /// The store has a tombstone of this session. If the tombstone decides how the request goes on,
    /// the session is returned: see
    /// [`tombstone_read`](Self::tombstone_read).
    pub(crate) fn dead(&mut self, id: &SessionId) -> Option<SessionMetadata> {
        match &self.state {
            State::Candidate { current: Candidate { session, .. }, .. } if session.id == *id => {
                Some(session.clone())
            }
            State::Live { session, .. } | State::Absent { pending: Some(session) }
                if session.id == *id =>
            {
                let gone = Gone { session: session.clone(), end: End::Unread };
                self.try_successors_of(id, Some(gone));
                None
            }
            _ => None,
        }
    }

    /// The tombstone of this session was read, or there is none any more.
    pub(crate) fn tombstone_read(
        &mut self,
        id: &SessionId,
        tombstone: Option<Tombstone>,
        age: RequestAge,
    ) {
        match &mut self.state {
            State::Candidate { current, gone } if current.session.id == *id => {
                let (session, former) = (current.session.clone(), gone.take());
                let is_under_way = |tombstone: &Tombstone| age.is_under_way_at(tombstone.age);
                let read =
                    tombstone.filter(is_under_way).map(|tombstone| End::read(tombstone, age));
                let gone = read.map(|end| Gone { session: session.clone(), end });
                match tombstone {
                    None => self.events.push(LifecycleEvent::Expired, Some(id)),
                    Some(tombstone) => {
                        self.keep_rotation(id, tombstone.successor());
                        if self.successors_of(id).is_empty() {
                            self.others.pass_over([session]);
                        }
                    }
                }
                self.try_successors_of(id, Gone::stricter(former, gone));
            }
            State::Gone(gone) if gone.session.id == *id => {
                gone.end = tombstone.map_or(End::Expired, |tombstone| End::read(tombstone, age));
            }
            _ => {}
        }
    }

    /// The store rotated the session.
    ///
    /// # Errors
    ///
    /// `is_headers_sent` if the response's head was sent meanwhile, without the new cookie.
    pub(crate) fn rotated(&mut self, planned: &PlannedRotation) -> Result<(), Error> {
        if self.state.has_id(&planned.from.id) || self.may_be(&planned.to.id) {
            self.note_pending_creation(&planned.from.id);
            self.events.push(LifecycleEvent::Rotated, Some(&planned.to.id));
            self.go_live(planned.to.clone(), !self.headers_sent, true);
        } else {
            self.found(&planned.to.id, true);
        }
        self.check_headers_unsent()
    }

    /// The store did not know the session that was to be rotated.
    pub(crate) fn not_rotated(&mut self, planned: &PlannedRotation) -> Next {
        let from = planned.from.id;
        match &mut self.state {
            // The creation did not happen, or will have happened to a session that gets no cookie:
            // the next one has the lifetime that was asked for.
            State::Absent { pending: pending @ Some(_) }
                if pending.as_ref().is_some_and(|it| it.id == from) =>
            {
                self.next_lifetime = planned.reason.next_lifetime(self.next_lifetime);
                if pending.take_if(|session| session.lifetime.class != self.next_lifetime).is_some()
                {
                    self.rotations.clear();
                }
                Next::Done
            }
            // It happened since.
            State::Live { session, .. } if session.id == from && planned.resolves_pending => {
                Next::Replan
            }
            _ => self.missing(&from, false),
        }
    }

    /// The store refused the rotation: the session was ended, or rotated by another request. The
    /// tombstone would name a successor of ours. As [`dead`](Self::dead).
    pub(crate) fn rotation_lost(&mut self, lost: &PlannedRotation) -> Option<SessionMetadata> {
        self.rotations.retain(|sent| sent.to.id != lost.to.id);
        self.dead(&lost.from.id)
    }

    /// The store refused to end or to rotate this session: it did not happen.
    pub(crate) fn refused(&mut self, id: &SessionId) {
        self.in_doubt.take_if(|in_doubt| in_doubt == id);
    }

    /// Returns whether one of the candidates has this id.
    fn may_be(&self, id: &SessionId) -> bool {
        let State::Candidate { current, .. } = &self.state else { return false };
        std::iter::once(current).chain(&self.further).any(|candidate| candidate.session.id == *id)
    }
}
