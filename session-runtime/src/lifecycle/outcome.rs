//! The outcome of a request for its response headers.

use super::Lifecycle;
use super::metadata::SessionMetadata;
use super::state::State;

/// The outcome of a request for its response headers.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Something asked for the session.
    pub(crate) accessed: bool,
    /// The session was live at some time during the request.
    pub(crate) was_live: bool,
    /// The session may still become live while the response body is made.
    pub(crate) may_go_live: bool,
    /// The session whose cookie or token the client gets.
    pub(crate) set: Option<SessionMetadata>,
    /// The client's cookie or token is removed.
    pub(crate) remove: bool,
    /// The client gets a token, and no cookie changes.
    pub(crate) as_token: bool,
    /// The request came over plain HTTP.
    pub(crate) is_plain_http: bool,
    /// The request went on without its session, because the store was unavailable or the browser
    /// left out the cookie.
    pub(crate) is_degraded: bool,
}

impl Lifecycle {
    /// Returns the outcome for the response headers. Nothing changes the cookie after this call.
    pub(crate) fn send_headers(&mut self) -> Outcome {
        self.headers_sent = true;
        let set = match &mut self.state {
            State::Live { session, cookie_due, .. } if self.in_doubt != Some(session.id) => {
                std::mem::take(cookie_due).then(|| session.clone())
            }
            _ => None,
        };
        let remove = std::mem::take(&mut self.removal_due) && set.is_none();
        self.facts.client_has_cookie &= !remove;
        Outcome {
            accessed: self.accessed,
            was_live: self.was_live,
            may_go_live: self.is_shared && self.may_go_live(),
            set,
            remove,
            as_token: self.facts.travels_as_token,
            is_plain_http: self.facts.is_plain_http,
            is_degraded: self.is_degraded() || self.creation_refused,
        }
    }

    /// Records that another part of the program can still ask for the session. Call this before
    /// [`send_headers`](Self::send_headers).
    pub(crate) fn note_shared(&mut self) {
        self.is_shared = true;
    }

    /// Returns whether the response headers were sent before anything asked for the session.
    pub(crate) fn is_late(&self) -> bool {
        self.headers_sent && !self.accessed
    }

    /// Returns whether, in addition, the headers were sent as independent of the session. At that
    /// time, nothing was known that could still ask for the session.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_too_late(&self) -> bool {
        self.is_late() && !self.is_shared
    }

    /// Returns whether a read may still find a session.
    fn may_go_live(&self) -> bool {
        !self.accessed
            || !matches!(self.state, State::Absent { pending: None, .. } | State::Gone(_))
    }
}
