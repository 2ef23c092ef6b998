//! The session to which the forms of a request belong.

use std::time::SystemTime;

use super::Lifecycle;
use super::plan::PlannedRead;
use super::state::State;
use crate::error::Error;
use crate::id::SessionId;

/// The next step to the session of a form.
#[derive(Debug)]
pub(crate) enum FormStep {
    /// The form belongs to the session with this id.
    Known(SessionId),
    /// Look whether a session is live.
    Look(PlannedRead),
    /// There is no session.
    Nothing,
}

impl Lifecycle {
    /// Plans the next step to the session of a new form, which has to be live.
    ///
    /// # Errors
    ///
    /// `is_unavailable` in a degraded request.
    pub(crate) fn plan_new_form(&mut self, now: SystemTime) -> Result<FormStep, Error> {
        self.check_not_degraded()?;
        self.pass_deadlines(now);
        Ok(match &self.state {
            State::Live { session, .. } if self.in_doubt != Some(session.id) => {
                FormStep::Known(session.id)
            }
            State::Live { .. } | State::Candidate { .. } => self.look_for_form(now),
            // A creation without a known result is repeated.
            State::Absent { .. } | State::Gone(_) => FormStep::Nothing,
        })
    }

    /// Plans the next step to the session of a form that was sent.
    ///
    /// The session may be over. But a candidate before others counts only if it is live. Otherwise
    /// the form of a planted cookie, whose session is over, would be accepted, and the request
    /// would go on with the user's session.
    ///
    /// # Errors
    ///
    /// `is_unavailable` in a degraded request that names several sessions.
    pub(crate) fn plan_sent_form(&mut self, now: SystemTime) -> Result<FormStep, Error> {
        self.pass_deadlines(now);
        let session = match &self.state {
            State::Candidate { .. } if !self.further.is_empty() => {
                self.check_not_degraded()?;
                return Ok(self.look_for_form(now));
            }
            State::Absent { former, .. } => former.as_ref(),
            state => state.session(),
        };
        Ok(session.map_or(FormStep::Nothing, |session| FormStep::Known(session.id)))
    }

    fn look_for_form(&mut self, now: SystemTime) -> FormStep {
        self.plan_read(now).map_or(FormStep::Nothing, FormStep::Look)
    }
}
