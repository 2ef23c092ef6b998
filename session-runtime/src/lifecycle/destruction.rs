//! Reports of a destruction: of the request's own session, of others, and of successors that other
//! requests made.

use super::Lifecycle;
use super::end::{End, Gone};
use super::metadata::SessionMetadata;
use super::plan::PlannedDestruction;
use super::report::Next;
use super::state::State;
use crate::id::{LifetimeId, SessionId};
use crate::store::{Destroyed, TombstoneKind};
use crate::telemetry::LifecycleEvent;

impl Lifecycle {
    /// The store was told to end this session. `follow` gives the session that is to be ended in
    /// place of one that another request rotated.
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
        if self.others.destroyed(id) {
            self.finish_if_all_destroyed()
        } else if self.state.has_id(id) {
            self.own_destroyed(plan, found)
        } else {
            Next::Replan
        }
    }

    /// The session had ended before, as its tombstone says. Returns whether the request goes on
    /// with a successor.
    ///
    /// It does if it rotated the session itself. A successor that another request made is ended,
    /// and never entered.
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

    /// The store was told to end the request's own session. It passes over candidates that were not
    /// live.
    fn own_destroyed(&mut self, plan: &PlannedDestruction, found: Destroyed) -> Next {
        match (found, &mut self.state) {
            (Destroyed::Missing, State::Candidate { .. }) => {
                return self.missing(&plan.session.id, false);
            }
            // The creation happened since.
            (Destroyed::Missing, State::Live { .. }) if plan.resolves_pending => {
                return Next::Replan;
            }
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

    /// The store could not end this session. Returns whether the destruction goes on with the
    /// others.
    pub(crate) fn not_destroyed(&mut self, id: &SessionId) -> bool {
        self.others.destruction_failed(id)
    }

    /// The destruction has come to its end, for better or worse.
    pub(crate) fn destruction_finished(&mut self) {
        self.others.retry_failed_later();
    }

    /// The store was told to end a session that the request cannot use.
    pub(crate) fn unusable_destroyed(&mut self, id: &SessionId, found: Destroyed) {
        self.others.remove_unusable(id);
        if found == Destroyed::Ended {
            self.events.push(LifecycleEvent::Destroyed, Some(id));
        }
    }

    fn finish_if_all_destroyed(&mut self) -> Next {
        let has_own = !matches!(self.state, State::Gone(_) | State::Absent { pending: None });
        if has_own || !self.others.queued().is_empty() {
            return Next::Replan;
        }
        self.state = State::default();
        self.rotations.clear();
        self.next_lifetime = LifetimeId::default();
        self.request_removal();
        Next::Done
    }
}
