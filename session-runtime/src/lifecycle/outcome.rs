//! The outcome of a request for its response's headers.

use super::Lifecycle;
use super::metadata::SessionMetadata;
use super::state::State;

/// The outcome of a request for its response's headers.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Something asked for the session.
    pub(crate) accessed: bool,
    /// The session was live at some time during the request.
    pub(crate) was_live: bool,
    /// It may still become live, when the response's body is made.
    pub(crate) may_go_live: bool,
    /// The session whose cookie is to be set.
    pub(crate) set: Option<SessionMetadata>,
    /// The client's cookie is to be removed.
    pub(crate) remove: bool,
    /// The request came by plain http.
    pub(crate) is_plain_http: bool,
    /// The request went on without its session: the store could not be asked for it, or the
    /// browser left its cookie out.
    pub(crate) is_degraded: bool,
}

impl Lifecycle {
    /// Gives what the response's head tells the client. Nothing changes the cookie after this.
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
            is_plain_http: self.facts.is_plain_http,
            is_degraded: self.is_degraded() || self.creation_refused,
        }
    }

    /// Records that another part of the program can still ask for the session. To be called before
    /// [`send_headers`](Self::send_headers).
    pub(crate) fn note_shared(&mut self) {
        self.is_shared = true;
    }

    /// Returns whether the response's head was sent before anything asked for the session.
    pub(crate) fn is_late(&self) -> bool {
        self.headers_sent && !self.accessed
    }

    /// Returns whether the response was sent, besides, as one that does not depend on the session:
    /// nothing was known that could still ask for it.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_too_late(&self) -> bool {
        self.is_late() && !self.is_shared
    }

    /// Returns whether a read of the session may still find one.
    fn may_go_live(&self) -> bool {
        !self.accessed || !matches!(self.state, State::Absent { pending: None } | State::Gone(_))
    }
}
