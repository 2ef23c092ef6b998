//! The reason why the session of a request's cookie is over.

use std::time::SystemTime;

use super::Lifecycle;
use super::candidate::Candidate;
use super::end::{End, Gone};
use super::metadata::SessionMetadata;
use super::plan::PlannedRead;
use super::state::State;
use crate::store::{DestroyReason, TombstoneKind};

/// The close codes of WebSockets.
const POLICY_VIOLATION: u16 = 1008;
const SERVICE_RESTART: u16 = 1012;

/// The reason why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// A request with the session's cookie called
    /// [`destroy`](struct@crate::Session#method.destroy): a logout in the same browser.
    LoggedOut,
    /// The session went on under another id, after a rotation or a login in another request. So
    /// this cookie is out of date. The store is not asked whether the session has ended since.
    Moved,
    /// Another part of the application ended the session: an administrator, a job, or another
    /// device of the user. These are ends by [`Sessions::find`](crate::Sessions::find), and
    /// `destroy` on a session from [`Sessions::open_id`](crate::Sessions::open_id).
    EndedElsewhere,
    /// The user had too many sessions, and a login with
    /// [`at_most`](crate::batch::WriteBatch::at_most) or
    /// [`keep_newest`](crate::find::FoundSessions::keep_newest) ended this one.
    TooMany,
    /// The session is past its deadline, or the store has neither the session nor a record of its
    /// end.
    ///
    /// In nearly all cases, the session was not used for too long. A record of an end lasts for
    /// minutes only. So this is also the reason for a session that was ended longer ago, and for a
    /// session that the store has lost.
    Expired,
}

/// The next step to the reason of an end.
#[derive(Debug)]
pub(crate) enum EndReasonStep {
    /// The answer. `None` means that no session of the request's cookies is over.
    Known(Option<EndReason>),
    /// Look whether a session of the request's cookies is live.
    Look(PlannedRead),
    /// The tombstone of a session has the reason: see [`Lifecycle::tombstone_read`].
    ReadTombstone(SessionMetadata),
}

impl EndReason {
    /// Returns the close code for the WebSocket of a session that is over.
    ///
    /// | reason | code | meaning |
    /// | --- | --- | --- |
    /// | [`Moved`](Self::Moved) | 1012 | Service Restart: the client should reconnect |
    /// | all others | 1008 | Policy Violation: the client should not reconnect without a new login |
    ///
    /// A session that moved goes on under a new cookie. A moment later, the browser has the cookie,
    /// and a new connection finds the session.
    ///
    /// A page never sees a refusal of the new connection. So a page asks another route first, as
    /// [the guide] shows.
    ///
    /// Section 7.4.1 of [RFC 6455] defines 1008, and the [registry of IANA] adds 1012. The page
    /// reads the code from `CloseEvent.code`, and reconnects itself.
    ///
    /// [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
    /// [registry of IANA]: https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::EndReason;
    ///
    /// assert_eq!(EndReason::Moved.close_code(), 1012);
    /// assert_eq!(EndReason::LoggedOut.close_code(), 1008);
    /// ```
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[the guide]: crate::guide::live_connections#close-codes\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "websocket")]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Moved => SERVICE_RESTART,
            Self::LoggedOut | Self::EndedElsewhere | Self::TooMany | Self::Expired => {
                POLICY_VIOLATION
            }
        }
    }

    pub(super) fn from_tombstone(kind: TombstoneKind) -> Self {
        match kind {
            TombstoneKind::Destroyed(reason) => Self::from_destruction(reason),
            TombstoneKind::Rotated(_) | TombstoneKind::Renewed(_) => Self::Moved,
        }
    }

    fn from_destruction(reason: DestroyReason) -> Self {
        match reason {
            DestroyReason::LoggedOut => Self::LoggedOut,
            DestroyReason::EndedElsewhere => Self::EndedElsewhere,
            DestroyReason::TooMany => Self::TooMany,
        }
    }

    /// Returns how much the reason matters to a user, if a browser sends cookies of several
    /// sessions.
    fn weight(self) -> u8 {
        match self {
            Self::Expired => 0,
            Self::Moved => 1,
            Self::LoggedOut => 2,
            Self::TooMany => 3,
            Self::EndedElsewhere => 4,
        }
    }
}

impl Lifecycle {
    /// Plans the next step to the reason why the session of the request's cookie is over.
    ///
    /// The store is asked for a candidate, and for a session that ended during the request. A
    /// session that the request has created since does not change the answer.
    pub(crate) fn plan_end_reason(&mut self, now: SystemTime) -> EndReasonStep {
        self.pass_deadlines(now);
        if self.is_degraded() {
            return EndReasonStep::Known(None);
        }
        match &self.state {
            State::Candidate { current: Candidate { session, .. }, .. } => {
                let session = session.clone();
                EndReasonStep::Look(PlannedRead { session, refresh: None, resolves_pending: false })
            }
            State::Gone(Gone { session, end: End::Unread }) => {
                EndReasonStep::ReadTombstone(session.clone())
            }
            _ => EndReasonStep::Known(self.end_reason),
        }
    }

    /// Records that this request ended a session.
    pub(crate) fn note_destruction(&mut self, reason: DestroyReason) {
        self.end_reason = Some(EndReason::from_destruction(reason));
    }

    /// Records why one of several sessions is over. The reason that matters more stays, whatever
    /// the order of the cookies.
    #[cold]
    pub(super) fn note_end(&mut self, reason: EndReason) {
        if self.end_reason.is_none_or(|noted| noted.weight() < reason.weight()) {
            self.end_reason = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_reconnects_only_if_the_session_goes_on() {
        for reason in [
            EndReason::LoggedOut,
            EndReason::Moved,
            EndReason::EndedElsewhere,
            EndReason::TooMany,
            EndReason::Expired,
        ] {
            // A new variant needs an expected code, and a place in the list.
            let code = match reason {
                EndReason::Moved => 1012,
                EndReason::LoggedOut
                | EndReason::EndedElsewhere
                | EndReason::TooMany
                | EndReason::Expired => 1008,
            };
            assert_eq!(reason.close_code(), code, "{reason:?}");
        }
    }
}
