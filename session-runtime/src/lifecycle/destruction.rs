//! Reports of a destruction: of the request's own session, of others, and of successors that other
//! requests made.

use super::Lifecycle;
use super::end::{End, Gone};
use super::end_reason::EndReason;
use super::metadata::SessionMetadata;
use super::plan::PlannedDestruction;
use super::report::Next;
use super::state::State;
use crate::id::{LifetimeId, SessionId};
use crate::store::{Destroyed, TombstoneKind};
use crate::telemetry::LifecycleEvent;

impl Lifecycle {
    /// Records the reply to ending this session. If another request rotated the session, `follow`
    /// gives the session to end instead.
    pub(crate) fn destroyed(
        &mut self,
        plan: &PlannedDestruction,
        found: Destroyed,
        follow: impl FnOnce(TombstoneKind) -> Option<SessionMetadata>,
    ) -> Next {
        let id = &plan.session.id;
        match found {
            Destroyed::Ended => {
                self.was_live = true;
                self.note_pending_creation(id);
                self.events.push(LifecycleEvent::Destroyed, Some(id));
            }
            Destroyed::Dead(kind) => {
                if self.goes_on_with_successor(id, kind, follow) {
                    return Next::Replan;
                }
            }
            Destroyed::Missing => {}
        }
        if self.state.has_id(id) {
            self.own_is_destroyed = true;
        }
        if self.others.destroyed(id) {
            self.finish_if_all_destroyed()
        } else if self.state.has_id(id) {
            self.own_destroyed(plan, found)
        } else {
            Next::Replan
        }
    }

    /// Handles the tombstone of a session that had already ended. Returns whether the request goes
    /// on with a successor.
    ///
    /// The request does so if the rotation was its own. A successor that another request made is
    /// ended, and never becomes the request's session.
    fn goes_on_with_successor(
        &mut self,
        id: &SessionId,
        kind: TombstoneKind,
        follow: impl FnOnce(TombstoneKind) -> Option<SessionMetadata>,
    ) -> bool {
        let successor = kind.successor();
        self.was_live |= successor.is_some();
        self.keep_rotation(id, successor);
        if self.successors_of(id).is_empty() {
            self.others.queue(follow(kind));
            return false;
        }
        let is_own = self.state.has_id(id);
        if is_own {
            self.try_successors_of(id, None);
        }
        is_own
    }

    /// Records the reply to ending the request's own session. Candidates that were not live are
    /// skipped.
    fn own_destroyed(&mut self, plan: &PlannedDestruction, found: Destroyed) -> Next {
        if let Destroyed::Dead(kind) = found {
            self.note_end(EndReason::from_tombstone(kind));
        }
        match (found, &mut self.state) {
            (Destroyed::Missing, State::Candidate { .. }) => {
                return self.missing(&plan.session.id, false);
            }
            // The creation happened since.
            (Destroyed::Missing, State::Live { .. }) if plan.resolves_pending => {
                return Next::Replan;
            }
            (Destroyed::Missing, State::Live { .. }) => self.note_end(EndReason::Expired),
            (Destroyed::Dead(_), State::Candidate { gone, .. }) if !self.further.is_empty() => {
                let gone = gone.take();
                self.try_next(gone);
                return Next::Replan;
            }
            _ => {}
        }
        self.state = State::Gone(Gone { session: plan.session.clone(), end: End::Unread });
        self.others.queue(self.further.drain(..).map(|candidate| candidate.session));
        self.finish_if_all_destroyed()
    }

    /// Takes over the sessions that another destruction of this request could not end. Only for a
    /// destruction without a failure, which would otherwise report an end that did not happen.
    pub(crate) fn take_over_failed(&mut self) {
        self.others.queue_failed();
    }

    /// Records that the store could not end this session. Returns whether the destruction goes on
    /// with the others.
    pub(crate) fn not_destroyed(&mut self, id: &SessionId) -> bool {
        self.others.destruction_failed(id)
    }

    /// Records the end of the destruction, successful or not.
    pub(crate) fn destruction_finished(&mut self) {
        self.others.retry_failed_later();
    }

    /// Records the reply to ending a session that the request cannot use.
    pub(crate) fn unusable_destroyed(&mut self, id: &SessionId, found: Destroyed) {
        self.others.remove_unusable(id);
        if found == Destroyed::Ended {
            self.events.push(LifecycleEvent::Destroyed, Some(id));
        }
    }

    fn finish_if_all_destroyed(&mut self) -> Next {
        // Another operation may have passed sessions over since the plan.
        self.others.queue_all();
        let has_own = match &self.state {
            State::Gone(gone) => gone.end.may_have_successor() && !self.own_is_destroyed,
            State::Absent { pending, .. } => pending.is_some(),
            State::Candidate { .. } | State::Live { .. } => true,
        };
        if has_own || !self.others.queued().is_empty() {
            return Next::Replan;
        }
        self.state = State::default();
        self.own_is_destroyed = false;
        self.rotations.clear();
        self.next_lifetime = LifetimeId::default();
        self.request_removal();
        Next::Done
    }
}
