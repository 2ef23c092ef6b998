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

    /// Tries this session, if the request has none and may create one. If the session is live, the
    /// response has its cookie. Returns whether the session is tried.
    pub(crate) fn adopt(&mut self, session: SessionMetadata) -> bool {
        let is_absent = matches!(self.state, State::Absent { pending: None, .. });
        if !is_absent || self.headers_sent || !self.facts.allow_creation() {
            return false;
        }
        let current = Candidate { session, cookie_due: true };
        self.state = State::Candidate { current, gone: None };
        true
    }
}
