//! A session that the request's cookies do not name.

use super::Lifecycle;
use super::candidate::Candidate;
use super::metadata::SessionMetadata;
use super::request_facts::Beginning;
use super::state::State;

impl Lifecycle {
    /// Returns whether a session that the request creates travels as a cookie.
    pub(crate) fn begins_with_cookie(&self) -> bool {
        !self.facts.travels_as_token && self.facts.beginning == Beginning::AsRequested
    }

    /// Returns whether the request came without a session cookie and has no session.
    pub(crate) fn is_without_session(&self) -> bool {
        !self.facts.client_has_cookie
            && matches!(self.state, State::Absent { pending: None, .. })
            && !self.headers_sent
    }

    /// Tries this session, if the request has none and may create one. If the session is live, the
    /// response has its cookie.
    pub(crate) fn adopt(&mut self, session: SessionMetadata) {
        if self.is_without_session() && self.facts.allow_creation() {
            let current = Candidate { session, cookie_due: true };
            self.state = State::Candidate { current, gone: None };
        }
    }
}
