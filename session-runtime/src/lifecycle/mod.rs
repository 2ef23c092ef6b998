//! A request's session as a state machine, free of I/O.
//!
//! An operation asks for a plan ([`Lifecycle::plan_read`], [`Lifecycle::plan_write`]) and carries
//! out the plan on the store. Then the operation reports the store's reply ([`Lifecycle::found`],
//! [`Lifecycle::missing`], [`Lifecycle::dead`]), and may ask for another plan. Several operations
//! of a request may be under way at once. A report about an id that is no longer the request's
//! changes nothing.
//!
//! A session that ended while the request was under way is *gone* for the request. A request that
//! arrived later has no session. Only durations decide between the two, see [`RequestAge`].
//!
//! Events in the lives of sessions are noticed here, and queued for telemetry.

#[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
mod adoption;
mod candidate;
mod destruction;
mod end;
mod end_reason;
mod end_step;
mod form_step;
mod known_fields;
mod metadata;
mod others;
mod outcome;
mod plan;
mod report;
mod request_facts;
mod state;
mod transition;

pub(crate) use candidate::{Candidate, ResolvedCookies};
pub(crate) use end::{END_TOMBSTONE_FOR, RequestAge, TOMBSTONE_FOR};
pub use end_reason::EndReason;
pub(crate) use end_reason::EndReasonStep;
pub(crate) use end_step::EndStep;
pub(crate) use form_step::FormStep;
pub(crate) use known_fields::KnownFields;
pub(crate) use metadata::{MAX_CLOCK_SKEW, SessionMetadata};
pub(crate) use outcome::Outcome;
pub(crate) use plan::{
    PlannedDestruction, PlannedRead, PlannedRotation, PlannedWrite, RotationReason, RotationStep,
};
pub(crate) use report::Next;
pub(crate) use request_facts::Beginning;

use std::time::SystemTime;

use self::others::OtherSessions;
use self::request_facts::RequestFacts;
use self::state::State;
use crate::error::{Error, Kind};
use crate::id::{LifetimeId, SessionId};
use crate::telemetry::{EventFlush, EventQueue};

/// The session of a request.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    state: State,
    /// The candidates to try after the current candidate.
    further: Vec<Candidate>,
    others: OtherSessions,
    facts: RequestFacts,
    /// Something asked for the session.
    accessed: bool,
    /// The session was live at some time during the request.
    was_live: bool,
    /// The response headers were sent, and nothing changes the cookie any more.
    headers_sent: bool,
    /// A part of the program other than the sender of the response can ask for the session.
    is_shared: bool,
    /// A write in a cross-site request was refused, because the write would have created a session.
    creation_refused: bool,
    /// The response removes the client's cookie, unless the response sets a new cookie.
    removal_due: bool,
    /// The lifetime of the next session that the request creates.
    next_lifetime: LifetimeId,
    /// The rotations that were sent, any of which may have happened.
    rotations: Vec<PlannedRotation>,
    /// Several operations were sent to create the pending session.
    pending_is_shared: bool,
    /// The session whose destruction or rotation was sent, and may have happened.
    in_doubt: Option<SessionId>,
    /// A destruction has ended the request's own session, and maybe not yet all others. A session
    /// that was gone before may have a successor, which has to be ended.
    own_is_destroyed: bool,
    /// The reason why the session of the request's cookie is over, as far as known.
    end_reason: Option<EndReason>,
    degradation: Degradation,
    events: EventQueue,
}

/// The behaviour of a request when the store is unavailable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Degradation {
    /// The operations of the request fail.
    #[default]
    Refused,
    /// The request may go on without its session.
    Allowed,
    /// The request has read defaults, and goes on without its session to the end.
    Active,
}

impl Lifecycle {
    /// Looks at the request's cookies on the first access. Call this before making a plan.
    pub(crate) fn resolve_cookies<C: IntoIterator<Item = Candidate>>(
        &mut self,
        cookies: impl FnOnce() -> ResolvedCookies<C>,
    ) {
        if std::mem::replace(&mut self.accessed, true) {
            return;
        }
        let cookies = cookies();
        let mut candidates = cookies.candidates.into_iter().peekable();
        self.facts.client_has_cookie = cookies.has_cookie;
        self.facts.names_session = candidates.peek().is_some() || !cookies.unusable.is_empty();
        self.others.set_unusable(cookies.unusable);
        if let Some(current) = candidates.next() {
            self.state = State::Candidate { current, gone: None };
        } else if self.facts.names_session {
            self.note_end(EndReason::Expired);
        }
        self.further = candidates.collect();
    }

    /// Returns the lifetime of the session, or of the next session that the request creates.
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    pub(crate) fn lifetime_id(&self) -> LifetimeId {
        self.state.session().map_or(self.next_lifetime, |session| session.lifetime.class)
    }

    /// Returns whether something has asked for the session.
    #[inline]
    pub(crate) fn is_accessed(&self) -> bool {
        self.accessed
    }

    /// Records that browsers leave the session cookie out of this request, because another site
    /// caused the request.
    ///
    /// A session created without the cookie would replace the browser's own session.
    pub(crate) fn note_cookie_withheld(&mut self) {
        self.facts.cookie_withheld = true;
    }

    /// Records that the request came over plain HTTP.
    pub(crate) fn note_plain_http(&mut self) {
        self.facts.is_plain_http = true;
    }

    /// Records that the request has a bearer token, and that its cookies do not count. Too late
    /// after the first access.
    pub(crate) fn note_token(&mut self) {
        if !self.accessed {
            (self.facts.came_with_token, self.facts.travels_as_token) = (true, true);
        }
    }

    /// Returns whether the request has a bearer token, and its cookies do not count.
    pub(crate) fn came_with_token(&self) -> bool {
        self.facts.came_with_token
    }

    /// Chooses the transport of a session that the request creates.
    pub(crate) fn set_beginning(&mut self, beginning: Beginning) {
        self.facts.beginning = beginning;
    }

    /// Has the response give the client the token of the live session, which then travels as a
    /// token. `None` means that no session is known to be live.
    ///
    /// # Errors
    ///
    /// `is_headers_sent` if the session may have been sent as a cookie. `is_unavailable` in a
    /// degraded request.
    pub(crate) fn issue_token(&mut self, now: SystemTime) -> Result<Option<SessionId>, Error> {
        self.check_not_degraded()?;
        self.pass_deadlines(now);
        let State::Live { session, cookie_due, .. } = &mut self.state else { return Ok(None) };
        if self.in_doubt == Some(session.id) {
            return Ok(None);
        }
        if self.headers_sent {
            let is_token = self.facts.travels_as_token;
            return if is_token {
                Ok(Some(session.id))
            } else {
                Err(Error::new(Kind::HeadersSent))
            };
        }
        (*cookie_due, self.facts.travels_as_token) = (true, true);
        Ok(Some(session.id))
    }

    /// Lets the request create a session even if the browser withheld the cookie.
    pub(crate) fn allow_cross_site(&mut self) {
        self.facts.allows_cross_site = true;
    }

    /// Lets the request go on without its session if the store is unavailable.
    pub(crate) fn allow_degraded(&mut self) {
        if self.degradation == Degradation::Refused {
            self.degradation = Degradation::Allowed;
        }
    }

    /// Goes on without the session because the store is unavailable, if that is allowed and the
    /// request has seen nothing of the session.
    ///
    /// Returns whether the request goes on without its session.
    pub(crate) fn degrade(&mut self) -> bool {
        if self.degradation == Degradation::Allowed && matches!(self.state, State::Candidate { .. })
        {
            self.degradation = Degradation::Active;
        }
        self.is_degraded()
    }

    pub(crate) fn is_degraded(&self) -> bool {
        self.degradation == Degradation::Active
    }

    /// Returns the session, as far as known without asking the store.
    pub(crate) fn session(&self) -> Option<&SessionMetadata> {
        match &self.state {
            State::Candidate { .. } | State::Live { .. } => self.state.session(),
            State::Absent { .. } | State::Gone(_) => None,
        }
    }

    /// Returns the sessions of the request's cookies that the request cannot use, if there is no
    /// other session.
    pub(crate) fn unusable(&self) -> &[SessionMetadata] {
        if self.state.session().is_none() { self.others.unusable() } else { &[] }
    }

    /// Returns the id of the request's current or last session.
    pub(crate) fn last_id(&self) -> Option<SessionId> {
        self.state.session().map(|session| session.id).or(self.in_doubt)
    }

    /// Returns the fields that the request has seen of this session, while this is the request's
    /// session.
    pub(crate) fn known_fields(&mut self, id: &SessionId) -> Option<&mut KnownFields> {
        match &mut self.state {
            State::Live { session, fields, .. } if session.id == *id => Some(fields),
            _ => None,
        }
    }

    /// Takes the events, to be reported once the lock on the life cycle is released.
    #[inline]
    pub(crate) fn take_events(&mut self) -> Option<EventFlush> {
        self.events.take()
    }

    pub(crate) fn append_events(&mut self, events: EventQueue) {
        self.events.append(events);
    }

    /// # Errors
    ///
    /// `is_unavailable` in a degraded request, whose session must not receive defaults.
    pub(crate) fn check_not_degraded(&self) -> Result<(), Error> {
        if self.is_degraded() { Err(Error::new(Kind::WithoutSession)) } else { Ok(()) }
    }

    /// # Errors
    ///
    /// `is_headers_sent` if nothing can change the cookie any more.
    fn check_headers_unsent(&self) -> Result<(), Error> {
        if self.headers_sent { Err(Error::new(Kind::HeadersSent)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
