//! The facts of a request that decide on its session cookie or token.

/// The facts of a request that decide on its session cookie or token.
#[derive(Debug, Default)]
pub(super) struct RequestFacts {
    /// The client has a session cookie or token, valid or not.
    pub(super) client_has_cookie: bool,
    /// The request has a session cookie or token with a valid signature.
    pub(super) names_session: bool,
    /// Browsers leave the cookie out of this request, because another site caused the request.
    pub(super) cookie_withheld: bool,
    /// The request may create a session even if the browser withheld the cookie.
    pub(super) allows_cross_site: bool,
    pub(super) is_plain_http: bool,
    /// The request has a bearer token, and its cookies do not count.
    pub(super) came_with_token: bool,
    /// The session travels as a bearer token, and the response changes no cookie.
    pub(super) travels_as_token: bool,
    pub(super) beginning: Beginning,
    /// A creation was sent. A session that goes live afterwards is the created session or its
    /// successor.
    pub(super) creation_sent: bool,
}

/// The transport of a session that the request creates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// The transport of the request.
    #[default]
    AsRequested,
    /// A bearer token.
    Token,
    /// A bearer token, which the configuration does not accept.
    UnacceptedToken,
}

impl RequestFacts {
    /// Returns whether a new session's cookie may replace a cookie that the browser may have. A
    /// token replaces no cookie.
    pub(super) fn allow_creation(&self) -> bool {
        self.names_session
            || self.allows_cross_site
            || !self.cookie_withheld
            || self.begins_with_token()
    }

    /// Returns whether a session that the request creates travels as a token.
    pub(super) fn begins_with_token(&self) -> bool {
        self.travels_as_token || self.beginning == Beginning::Token
    }
}
