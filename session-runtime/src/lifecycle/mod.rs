//! One request's session as a state machine, free of I/O.
//!
//! An operation asks for a plan ([`Lifecycle::plan_read`], [`Lifecycle::plan_write`]), carries it
//! out on the store and reports the store's reply ([`Lifecycle::found`], [`Lifecycle::missing`],
//! [`Lifecycle::dead`]), until it has an answer. Several operations of one request may be under way
//! at once. A report about an id that is no longer the request's changes nothing.
//!
//! A session that ended while the request was under way is *gone* for it. A request that arrived
//! later has no session. Durations alone decide between the two: see [`RequestAge`].
//!
//! The events in sessions' lives are noticed here, and queued for telemetry.

mod candidate;
mod destruction;
mod end;
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
pub(crate) use end::{RequestAge, TOMBSTONE_FOR};
pub(crate) use known_fields::KnownFields;
pub(crate) use metadata::{MAX_CLOCK_SKEW, SessionMetadata};
pub(crate) use outcome::Outcome;
pub(crate) use plan::{
    PlannedDestruction, PlannedRead, PlannedRotation, PlannedWrite, RotationReason, RotationStep,
};
pub(crate) use report::Next;

use self::others::OtherSessions;
use self::request_facts::RequestFacts;
use self::state::State;
use crate::error::{Error, Kind};
use crate::id::{LifetimeId, SessionId};
use crate::telemetry::{EventFlush, EventQueue};

/// One request's session.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    state: State,
    /// The candidates that are left to try after the current one.
    further: Vec<Candidate>,
    others: OtherSessions,
    facts: RequestFacts,
    /// Something asked for the session.
    accessed: bool,
    /// The session was live at some time during the request.
    was_live: bool,
    /// The response's head was sent: nothing changes the cookie any more.
    headers_sent: bool,
    /// Another part of the program than the one that sends the response can ask for the session.
    is_shared: bool,
    /// A write was refused that would have created a session in a cross-site request.
    creation_refused: bool,
    /// The client is to be told to forget its cookie, unless a new one takes its place.
    removal_due: bool,
    /// The lifetime of the next session that the request creates.
    next_lifetime: LifetimeId,
    /// The rotations that were sent, of which one may have happened.
    rotations: Vec<PlannedRotation>,
    /// The session whose destruction or rotation was sent, and may have happened.
    in_doubt: Option<SessionId>,
    degradation: Degradation,
    events: EventQueue,
}

/// The conduct of a request whose session the store cannot be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Degradation {
    /// The request's operations fail.
    #[default]
    Refused,
    /// The request may go on without its session.
    Allowed,
    /// The request goes on without its session, to its end: it has answered with defaults.
    Active,
}

impl Lifecycle {
    /// Looks at the request's cookies at the first access. To be called before a plan is made.
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
        }
        self.further = candidates.collect();
    }

    /// Records that browsers leave the session's cookie out of this request, which another site
    /// caused.
    ///
    /// A session that began without the cookie would take the place of the browser's own.
    pub(crate) fn note_cookie_withheld(&mut self) {
        self.facts.cookie_withheld = true;
    }

    /// Records that the request came by plain http.
    pub(crate) fn note_plain_http(&mut self) {
        self.facts.is_plain_http = true;
    }

    /// Lets the request create a session even if its cookie was withheld.
    pub(crate) fn allow_cross_site(&mut self) {
        self.facts.allows_cross_site = true;
    }

    /// Lets the request go on without its session if the store cannot be asked for it.
    pub(crate) fn allow_degraded(&mut self) {
        if self.degradation == Degradation::Refused {
            self.degradation = Degradation::Allowed;
        }
    }

    /// Goes on without the session, which the store cannot be asked for, if the request may and has
    /// seen nothing of it.
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

    /// The session, as far as it is known without asking the store.
    pub(crate) fn session(&self) -> Option<&SessionMetadata> {
        match &self.state {
            State::Candidate { .. } | State::Live { .. } => self.state.session(),
            State::Absent { .. } | State::Gone(_) => None,
        }
    }

    /// The sessions that the request's cookies name and that it cannot use, if it has no other.
    pub(crate) fn unusable(&self) -> &[SessionMetadata] {
        if self.state.session().is_none() { self.others.unusable() } else { &[] }
    }

    /// The id of the session that the request has, or had last.
    pub(crate) fn last_id(&self) -> Option<SessionId> {
        self.state.session().map(|session| session.id).or(self.in_doubt)
    }

    /// The fields that the request has seen of this session, while the request has it.
    pub(crate) fn known_fields(&mut self, id: &SessionId) -> Option<&mut KnownFields> {
        match &mut self.state {
            State::Live { session, fields, .. } if session.id == *id => Some(fields),
            _ => None,
        }
    }

    /// Takes the events, to be reported once nothing holds the life cycle.
    #[inline]
    pub(crate) fn take_events(&mut self) -> Option<EventFlush> {
        self.events.take()
    }

    pub(crate) fn append_events(&mut self, events: EventQueue) {
        self.events.append(events);
    }

    /// # Errors
    ///
    /// `is_unavailable` in a degraded request: defaults must not get into its session.
    fn check_not_degraded(&self) -> Result<(), Error> {
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
