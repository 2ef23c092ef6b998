//! The settings of a Flask application's cookies.

use serde::Deserialize;

use super::SecretKey;

/// What the cookies of a Flask application are signed with, for
/// [`CookieFormat::Flask`](crate::redis_session::CookieFormat::Flask).
///
/// With `serde` it is a map of `secret_key`: a text, or `{ base64 = "…" }` for bytes that are none;
/// one that is left out is that of the environment variable `SECRET_KEY`, if the environment goes
/// over the file ([`SessionConfig::overridden_by_env`](crate::SessionConfig::overridden_by_env)).
///
/// # Examples
///
/// ```
/// use session_runtime::redis_session::FlaskCookie;
///
/// let cookie = FlaskCookie::new("the application's SECRET_KEY, whole");
/// # let _ = cookie;
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct FlaskCookie {
    #[serde(default)]
    pub(crate) secret_key: SecretKey,
}

impl FlaskCookie {
    /// The application's `SECRET_KEY`, text or bytes, as it is: nothing is trimmed, split or
    /// decoded. One of less than 32 bytes is warned of.
    pub fn new(secret_key: impl Into<Vec<u8>>) -> Self {
        Self { secret_key: SecretKey::new(secret_key) }
    }
}
