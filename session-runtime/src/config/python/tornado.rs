//! The settings of a Tornado application's cookies.

use serde::Deserialize;

use super::SecretKey;

/// The secret key that signs the cookies of a Tornado application, for
/// [`CookieFormat::Tornado`](crate::redis_session::CookieFormat::Tornado).
///
/// With `serde`, this is a map with the optional keys `secret_key`, `key_version` and
/// `max_age_days`. `secret_key` is text, or `{ base64 = "…" }` for bytes that are not text.
///
/// Without `secret_key`, the environment variable `SECRET_KEY` is used, if the environment
/// overrides the file
/// ([`SessionConfig::overridden_by_env`](crate::SessionConfig::overridden_by_env)).
///
/// # Examples
///
/// ```
/// use session_runtime::redis_session::TornadoCookie;
///
/// let cookie = TornadoCookie::new("the application's cookie_secret, whole").max_age_days(7);
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
    /// Takes the `cookie_secret` of the application, text or bytes. Nothing is trimmed, split or
    /// decoded. A key of less than 32 bytes is logged as a warning.
    pub fn new(secret_key: impl Into<Vec<u8>>) -> Self {
        Self {
            secret_key: SecretKey::new(secret_key),
            key_version: None,
            max_age_days: default_max_age_days(),
        }
    }

    /// Sets the version of this key, for an application whose `cookie_secret` is a dictionary. List
    /// a format for each version. Default: none.
    ///
    /// Without a version, cookies are written with version 0 and read with any version, as Tornado
    /// does with a single secret.
    pub fn key_version(self, version: u32) -> Self {
        Self { key_version: Some(version), ..self }
    }

    /// Sets the maximum age of a cookie in days, as in `get_signed_cookie`: at least 1. Default:
    /// 31, which is also the default of Tornado and of the package.
    ///
    /// If this format is the first, a cookie is re-issued after a 31st of the maximum age, so that
    /// a session may last longer. Cookies of sessions that Python created are not re-issued,
    /// because they tell the age of the session. Such a session ends at the maximum age.
    pub fn max_age_days(self, days: u32) -> Self {
        Self { max_age_days: days, ..self }
    }
}

fn default_max_age_days() -> u32 {
    31
}
