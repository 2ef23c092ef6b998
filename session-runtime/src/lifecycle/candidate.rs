//! The sessions of a request's cookies.

use super::metadata::SessionMetadata;

/// The sessions of a request's cookies.
#[derive(Debug, Default)]
pub(crate) struct ResolvedCookies<C> {
    /// The request had a cookie with the session cookie's name, valid or not.
    pub(crate) has_cookie: bool,
    /// The sessions to try, in order.
    pub(crate) candidates: C,
    /// The sessions that this process cannot use.
    pub(crate) unusable: Vec<SessionMetadata>,
}

/// A session that may exist, before the store was asked.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) session: SessionMetadata,
    /// If the session exists, the client needs a new cookie. The current cookie was signed by an
    /// older key, is in another format, or belongs to a predecessor.
    pub(crate) cookie_due: bool,
}

impl Candidate {
    /// Adds another cookie of the same session.
    ///
    /// The session may be alive by either cookie. The client has a current cookie if either cookie
    /// is current. The age of the session is the age in the older cookie.
    pub(crate) fn merge(&mut self, same: Self) {
        self.cookie_due &= same.cookie_due;
        if same.session.created_at < self.session.created_at {
            self.session = same.session;
        }
    }
}
