//! The facts of a request that decide on its session cookie.

/// The facts of a request that decide on its session cookie.
#[derive(Debug, Default)]
pub(super) struct RequestFacts {
    /// The client has a session cookie, valid or not.
    pub(super) client_has_cookie: bool,
    /// The request has a session cookie with a valid signature.
    pub(super) names_session: bool,
    /// Browsers leave the cookie out of this request, because another site caused the request.
    pub(super) cookie_withheld: bool,
    /// The request may create a session even if the browser withheld the cookie.
    pub(super) allows_cross_site: bool,
    pub(super) is_plain_http: bool,
}

impl RequestFacts {
    /// Returns whether a new session's cookie may replace a cookie that the browser may have.
    pub(super) fn allow_creation(&self) -> bool {
        self.names_session || self.allows_cross_site || !self.cookie_withheld
    }
}
