//! The sessions that a request's cookies name.

use super::metadata::SessionMetadata;

/// The sessions that a request's cookies name.
#[derive(Debug, Default)]
pub(crate) struct ResolvedCookies<C> {
    /// A cookie of our name came, whether it verifies or not.
    pub(crate) has_cookie: bool,
    /// In the order in which they are tried.
    pub(crate) candidates: C,
    /// Sessions that this process cannot use.
    pub(crate) unusable: Vec<SessionMetadata>,
}

/// A session that may be there, before the store was asked for it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) session: SessionMetadata,
    /// If the store has it, the client needs a new cookie: its own was signed by an older key, or
    /// in another format, or is that of a predecessor.
    pub(crate) cookie_due: bool,
}

impl Candidate {
    /// Takes in another cookie of the same session.
    ///
    /// The session may be alive by either. So the client has a current cookie if either is, and the
    /// session is as old as the older cookie says.
    pub(crate) fn merge(&mut self, same: Self) {
        self.cookie_due &= same.cookie_due;
        if same.session.created_at < self.session.created_at {
            self.session = same.session;
        }
    }
}
