//! The values with which a request names its session.

use super::cookie_header::CookieHeaders;

/// The values with which a request names its session, kept until the first access.
pub(crate) enum Credentials {
    Cookies(CookieHeaders),
    /// The bearer token, if the request has a usable token. The cookies are ignored.
    Token(Option<Box<[u8]>>),
}

impl Default for Credentials {
    fn default() -> Self {
        Self::Cookies(CookieHeaders::default())
    }
}
