//! The wait for the end of a request's session.

use std::time::SystemTime;

use super::Lifecycle;
use super::candidate::Candidate;
use super::end::{End, Gone};
use super::end_reason::EndReason;
use super::metadata::SessionMetadata;
use super::state::State;

/// The next step of a wait for the end of the session.
#[derive(Debug)]
pub(crate) enum EndStep {
    /// The session is over.
    Over(EndReason),
    /// The session may be live. `resolves_pending` is that of a [`PlannedRead`](super::PlannedRead).
    Watch { session: SessionMetadata, resolves_pending: bool },
    /// The session ended, and the tombstone has the reason.
    ReadTombstone(SessionMetadata),
    /// There is no session to wait for.
    Nothing,
}

impl Lifecycle {
    /// Plans the next step of a wait for the end of the session.
    ///
    /// In contrast to [`plan_end_reason`](Self::plan_end_reason), a session that the request has
    /// created since counts, and a live session is asked for again.
    pub(crate) fn plan_end(&mut self, now: SystemTime) -> EndStep {
        self.pass_deadlines(now);
        if self.is_degraded() {
            return EndStep::Nothing;
        }
        match &self.state {
            State::Candidate { current: Candidate { session, .. }, .. }
            | State::Live { session, .. }
            | State::Absent { pending: Some(session), .. } => EndStep::Watch {
                session: session.clone(),
                resolves_pending: self.state.has_pending(),
            },
            State::Gone(Gone { session, end: End::Unread }) => {
                EndStep::ReadTombstone(session.clone())
            }
            State::Gone(_) => EndStep::Over(self.end_reason.unwrap_or(EndReason::Expired)),
            State::Absent { pending: None, .. } => {
                self.end_reason.map_or(EndStep::Nothing, EndStep::Over)
            }
        }
    }
}
