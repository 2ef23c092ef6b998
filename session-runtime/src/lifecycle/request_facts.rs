//! Facts of a request that decide on its session's cookie.

/// Facts of a request that decide on its session's cookie.
#[derive(Debug, Default)]
pub(super) struct RequestFacts {
    /// The client has a cookie of our name, valid or not.
    pub(super) client_has_cookie: bool,
    /// A cookie of ours came that verifies.
    pub(super) names_session: bool,
    /// Browsers leave the cookie out of this request, which another site caused.
    pub(super) cookie_withheld: bool,
    /// The request may create a session even if its cookie was withheld.
    pub(super) allows_cross_site: bool,
    pub(super) is_plain_http: bool,
}

impl RequestFacts {
    /// Returns whether a new session's cookie may take the place of the one that the browser may
    /// have.
    pub(super) fn allow_creation(&self) -> bool {
        self.names_session || self.allows_cross_site || !self.cookie_withheld
    }
}
