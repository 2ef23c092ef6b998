//! The settings of a Tornado application's cookies.

use serde::Deserialize;

use super::SecretKey;

/// What the cookies of a Tornado application are signed with, for
/// [`CookieFormat::Tornado`](crate::redis_session::CookieFormat::Tornado).
///
/// With `serde` it is a map of `secret_key`, `key_version` and `max_age_days`, any of which may be
/// left out. `secret_key` is a text, or `{ base64 = "…" }` for bytes that are none; one that is
/// left out is that of the environment variable `SECRET_KEY`, if the environment goes over the file
/// ([`SessionConfig::overridden_by_env`](crate::SessionConfig::overridden_by_env)).
///
/// # Examples
///
/// ```
/// use session_runtime::redis_session::TornadoCookie;
///
/// let cookie = TornadoCookie::new("the application's cookie_secret, whole").max_age_days(7);
/// # let _ = cookie;
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct TornadoCookie {
    #[serde(default)]
    pub(crate) secret_key: SecretKey,
    #[serde(default)]
    pub(crate) key_version: Option<u32>,
    #[serde(default = "default_max_age_days")]
    pub(crate) max_age_days: u32,
}

impl TornadoCookie {
    /// The application's `cookie_secret`, text or bytes, as it is: nothing is trimmed, split or
    /// decoded. One of less than 32 bytes is warned of.
    pub fn new(secret_key: impl Into<Vec<u8>>) -> Self {
        Self {
            secret_key: SecretKey::new(secret_key),
            key_version: None,
            max_age_days: default_max_age_days(),
        }
    }

    /// Which one of the application's secrets this is, where its `cookie_secret` is a dictionary;
    /// list a format for each. Default: none. Then cookies are written with version 0, and
    /// those of any version are read, as Tornado does with one secret.
    pub fn key_version(self, version: u32) -> Self {
        Self { key_version: Some(version), ..self }
    }

    /// How old a cookie may be, in days, as `get_signed_cookie` has it. Default: 31, which is
    /// Tornado's own, and what the package leaves it at.
    ///
    /// At least 1.
    ///
    /// Where this format is the first, a cookie is re-issued when a 31st of that has passed, so
    /// that a session may last longer. That of a session that Python began is not, because its
    /// cookie tells the session's age: it ends when this has passed.
    pub fn max_age_days(self, days: u32) -> Self {
        Self { max_age_days: days, ..self }
    }
}

fn default_max_age_days() -> u32 {
    31
}
