//! The settings of a Flask application's cookies.

use serde::Deserialize;

use super::SecretKey;

/// The secret key that signs the cookies of a Flask application, for
/// [`CookieFormat::Flask`](crate::redis_session::CookieFormat::Flask).
///
/// With `serde`, this is a map with the key `secret_key`. The value is text, or `{ base64 = "…" }`
/// for bytes that are not text.
///
/// Without this key, the environment variable `SECRET_KEY` is used, if the environment overrides
/// the file ([`SessionConfig::overridden_by_env`](crate::SessionConfig::overridden_by_env)).
///
/// # Examples
///
/// ```
/// use session_runtime::redis_session::FlaskCookie;
///
/// let cookie = FlaskCookie::new("the application's SECRET_KEY, whole");
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct FlaskCookie {
    #[serde(default)]
    pub(crate) secret_key: SecretKey,
}

impl FlaskCookie {
    /// Takes the `SECRET_KEY` of the application, text or bytes. Nothing is trimmed, split or
    /// decoded. A key of less than 32 bytes is logged as a warning.
    pub fn new(secret_key: impl Into<Vec<u8>>) -> Self {
        Self { secret_key: SecretKey::new(secret_key) }
    }
}
