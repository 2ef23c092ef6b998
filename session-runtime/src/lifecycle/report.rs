//! Reports: the store's replies to reads, writes and rotations.

use std::time::{Duration, SystemTime};

use super::Lifecycle;
use super::candidate::Candidate;
use super::end::{End, Gone, RequestAge};
use super::end_reason::EndReason;
use super::metadata::SessionMetadata;
use super::plan::{PlannedRotation, PlannedWrite};
use super::state::State;
use crate::error::{Error, Kind};
use crate::id::SessionId;
use crate::store::Tombstone;
use crate::telemetry::LifecycleEvent;

/// The time within which the creation of a session with an entry in an index is repeated.
const CREATION_COUNTS_FOR: Duration = Duration::from_secs(60);

/// The next step of an operation after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask for a new plan.
    Replan,
    /// Stop, because there is nothing to read, to remove or to end.
    Done,
}

impl Lifecycle {
    /// Records that the store has this session.
    pub(crate) fn found(&mut self, id: &SessionId, refreshed: bool) {
        self.refused(id);
        let cookie_due = match &mut self.state {
            State::Candidate { current, .. } if current.session.id == *id => {
                if self.rotations.iter().any(|sent| sent.to.id == *id) {
                    self.events.push(LifecycleEvent::Rotated, Some(id));
                }
                self.end_reason = None;
                current.cookie_due
            }
            // Created too late for a cookie: the session stays unreachable and expires.
            State::Absent { .. } if self.headers_sent => return,
            State::Absent { pending: Some(session), .. } if session.id == *id => {
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

    /// Records that the store carried out a write that was allowed to create this session. Returns
    /// `Replan` if the request's session has changed since, and the write belongs to the new
    /// session.
    ///
    /// # Errors
    ///
    /// `is_headers_sent` if the session was created while the response headers were being sent
    /// without its cookie.
    pub(crate) fn created(&mut self, id: &SessionId) -> Result<Next, Error> {
        self.found(id, true);
        match &self.state {
            State::Live { session, .. } | State::Gone(Gone { session, .. })
                if session.id == *id =>
            {
                Ok(Next::Done)
            }
            State::Absent { pending: Some(session), .. } if session.id == *id => {
                Err(Error::new(Kind::HeadersSent))
            }
            // The write was carried out before the rotation and moved with the session, so the
            // write is not repeated.
            _ if self.rotations.iter().any(|sent| sent.from.id == *id) => Ok(Next::Done),
            _ => Ok(Next::Replan),
        }
    }

    /// Records that the store refused to create the session of a login, so nothing happened. A new
    /// attempt does not have to ask for this session, unless another operation may create it.
    pub(crate) fn login_refused(&mut self, planned: &PlannedWrite) {
        if let State::Absent { pending, .. } = &mut self.state
            && !planned.resolves_pending
            && !self.pending_is_shared
        {
            pending.take_if(|session| session.id == planned.session.id);
        }
    }

    /// Forgets a creation without a reply that is older than a minute. After a pause, the session
    /// may have been ended by an index, and its tombstone may be gone.
    pub(crate) fn forget_old_creation(&mut self, now: SystemTime) {
        if let State::Absent { pending, .. } = &mut self.state {
            pending.take_if(|session| {
                now.duration_since(session.created_at).is_ok_and(|age| age > CREATION_COUNTS_FOR)
            });
        }
    }

    /// Records that the store did not have this session. `resolves_pending` comes from the plan:
    /// the pending creation may have happened since.
    pub(crate) fn missing(&mut self, id: &SessionId, resolves_pending: bool) -> Next {
        match &mut self.state {
            State::Live { session, .. } if session.id == *id && resolves_pending => {
                return Next::Done;
            }
            State::Absent { pending: Some(session), .. } if session.id == *id => return Next::Done,
            State::Candidate { current, gone } if current.session.id == *id => {
                let gone = gone.take();
                self.events.push(LifecycleEvent::Expired, Some(id));
                self.note_end(EndReason::Expired);
                self.try_next(gone);
            }
            State::Live { session, .. } if session.id == *id => {
                self.events.push(LifecycleEvent::Expired, Some(id));
                self.end_reason = Some(EndReason::Expired);
                self.state = State::Gone(Gone { session: session.clone(), end: End::Expired });
            }
            _ => {}
        }
        Next::Replan
    }

    /// Records that the store has a tombstone of this session. Returns the session if the tombstone
    /// decides how the request goes on: see [`tombstone_read`](Self::tombstone_read).
    pub(crate) fn dead(&mut self, id: &SessionId) -> Option<SessionMetadata> {
        match &self.state {
            State::Candidate { current: Candidate { session, .. }, .. } if session.id == *id => {
                Some(session.clone())
            }
            State::Live { session, .. } | State::Absent { pending: Some(session), .. }
                if session.id == *id =>
            {
                let gone = Gone { session: session.clone(), end: End::Unread };
                self.try_successors_of(id, Some(gone));
                None
            }
            _ => None,
        }
    }

    /// Records that the tombstone of this session was read, or no longer exists.
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
                    None => {
                        self.events.push(LifecycleEvent::Expired, Some(id));
                        self.note_end(EndReason::Expired);
                    }
                    Some(tombstone) => {
                        self.keep_rotation(id, tombstone.successor());
                        if self.successors_of(id).is_empty() {
                            self.others.pass_over([session]);
                            self.note_end(EndReason::from_tombstone(tombstone.kind));
                        }
                    }
                }
                self.try_successors_of(id, Gone::stricter(former, gone));
            }
            State::Gone(gone) if gone.session.id == *id => {
                gone.end = tombstone.map_or(End::Expired, |tombstone| End::read(tombstone, age));
                self.end_reason = Some(tombstone.map_or(EndReason::Expired, |tombstone| {
                    EndReason::from_tombstone(tombstone.kind)
                }));
            }
            _ => {}
        }
    }

    /// Records that the store rotated the session. Returns `Replan` if the request has left this
    /// session since, so that the changes of a batch would be lost.
    ///
    /// # Errors
    ///
    /// `is_headers_sent` if the response headers were sent meanwhile, without the new cookie.
    pub(crate) fn rotated(&mut self, planned: &PlannedRotation) -> Result<Next, Error> {
        if self.state.has_id(&planned.from.id) || self.may_be(&planned.to.id) {
            self.note_pending_creation(&planned.from.id);
            self.events.push(LifecycleEvent::Rotated, Some(&planned.to.id));
            if matches!(self.state, State::Candidate { .. }) {
                self.end_reason = None;
            }
            self.go_live(planned.to.clone(), !self.headers_sent, true);
        } else {
            self.found(&planned.to.id, true);
        }
        self.check_headers_unsent()?;
        Ok(if self.has_left(planned) { Next::Replan } else { Next::Done })
    }

    /// Records that the store did not have the session to rotate.
    pub(crate) fn not_rotated(&mut self, planned: &PlannedRotation) -> Next {
        let from = planned.from.id;
        match &mut self.state {
            // The creation did not happen, or will happen to a session that gets no cookie. So the
            // next session has the requested lifetime. The changes of a batch get an id that no
            // earlier write can reach.
            State::Absent { pending: pending @ Some(_), .. }
                if pending.as_ref().is_some_and(|it| it.id == from) =>
            {
                self.next_lifetime = planned.reason.next_lifetime(self.next_lifetime);
                let is_left = |session: &mut SessionMetadata| {
                    planned.is_of_batch || session.lifetime.class != self.next_lifetime
                };
                if pending.take_if(is_left).is_some() {
                    self.rotations.clear();
                }
                Next::Done
            }
            // The creation happened since.
            State::Live { session, .. } if session.id == from && planned.resolves_pending => {
                Next::Replan
            }
            _ => self.missing(&from, false),
        }
    }

    /// Records that the store refused the rotation, because the session was ended, or rotated by
    /// another request. The tombstone does not name this successor. The return value is that of
    /// [`dead`](Self::dead).
    pub(crate) fn rotation_lost(&mut self, lost: &PlannedRotation) -> Option<SessionMetadata> {
        self.rotations.retain(|sent| sent.to.id != lost.to.id);
        self.dead(&lost.from.id)
    }

    /// Records that the store refused to end or to rotate this session, so nothing happened.
    pub(crate) fn refused(&mut self, id: &SessionId) {
        self.in_doubt.take_if(|in_doubt| in_doubt == id);
    }

    /// Returns whether the request goes on without the successor of this batch, and without a later
    /// id of the same session.
    fn has_left(&self, planned: &PlannedRotation) -> bool {
        if !planned.is_of_batch || matches!(self.state, State::Gone(_)) {
            return false;
        }
        let mut ids = vec![planned.to.id];
        for sent in &self.rotations {
            if ids.contains(&sent.from.id) {
                ids.push(sent.to.id);
            }
        }
        let further = self.further.iter().map(|candidate| &candidate.session);
        !self.state.session().into_iter().chain(further).any(|session| ids.contains(&session.id))
    }

    /// Returns whether a candidate has this id.
    fn may_be(&self, id: &SessionId) -> bool {
        let State::Candidate { current, .. } = &self.state else { return false };
        std::iter::once(current).chain(&self.further).any(|candidate| candidate.session.id == *id)
    }
}
