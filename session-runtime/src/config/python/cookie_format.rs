//! The formats of the cookie's value.

use serde::Deserialize;

use super::{FlaskCookie, SecretKey, TornadoCookie};
use crate::error::{Error, Setting};

/// A format of the session cookie's value, for
/// [`SessionConfig::cookie_formats`](crate::SessionConfig::cookie_formats).
///
/// With `serde`, a format is a map. The key `format` is `native`, `tornado`, `flask` or
/// `unsigned-forgeable-ids`. The other keys are those of [`TornadoCookie`] and [`FlaskCookie`]. In
/// the environment, write only the name of the format.
///
/// # Examples
///
/// ```
/// use session_runtime::SessionConfig;
/// use session_runtime::redis_session::CookieFormat;
///
/// let config: SessionConfig = serde_json::from_str(r#"{
///     "cookie_formats": [
///         { "format": "tornado", "secret_key": "the whole cookie_secret" },
///         { "format": "native" }
///     ]
/// }"#)?;
/// # let _ = (config, CookieFormat::Native);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CookieFormat {
    /// The format of this library, signed by
    /// [`SessionConfig::secret`](crate::SessionConfig::secret).
    Native,
    /// The format of the Python package `redis_session` on Tornado: signed values of version 2.
    /// Version 1, which Tornado has not written since 2013, is not read.
    Tornado(TornadoCookie),
    /// The format of the Python package `redis_session` on Flask: an itsdangerous
    /// `URLSafeTimedSerializer` with HMAC-SHA-1, which is how Flask signs.
    Flask(FlaskCookie),
    /// A Python id without a signature. The package writes this format on Tornado with
    /// `session-cookie-secure=False`.
    ///
    /// **Anyone can make such a cookie.** The session is only as safe as its id is secret. An
    /// attacker can plant a cookie of their own session in a visitor's browser. The absolute
    /// lifetime is not enforced, because no creation time is signed.
    ///
    /// This format is only read, and only if the request has no signed cookie of a session that may
    /// be alive. As soon as the session is found live, the browser gets a signed cookie.
    UnsignedForgeableIds,
}

impl CookieFormat {
    /// Returns the format for a word of the environment, without a secret key.
    pub(in crate::config) fn named(word: &str) -> Result<Self, Error> {
        match word {
            "native" => Ok(Self::Native),
            "tornado" => Ok(Self::Tornado(TornadoCookie::new(""))),
            "flask" => Ok(Self::Flask(FlaskCookie::new(""))),
            "unsigned-forgeable-ids" => Ok(Self::UnsignedForgeableIds),
            _ => Err(Setting::COOKIE_FORMATS.invalid(
                "must be one or more of `native`, `tornado`, `flask` and \
                 `unsigned-forgeable-ids`, separated by commas",
            )),
        }
    }

    pub(in crate::config) fn lacks_secret_key(&self) -> bool {
        matches!(self, Self::Tornado(TornadoCookie { secret_key, .. }) | Self::Flask(FlaskCookie { secret_key }) if secret_key.is_empty())
    }

    /// Adds the secret key if the format lacks a key.
    pub(in crate::config) fn with_missing_secret_key(mut self, secret_key: &[u8]) -> Self {
        match &mut self {
            Self::Tornado(TornadoCookie { secret_key: key, .. })
            | Self::Flask(FlaskCookie { secret_key: key })
                if key.is_empty() =>
            {
                *key = SecretKey::new(secret_key);
            }
            _ => {}
        }
        self
    }

    pub(in crate::config) fn is_of_python(&self) -> bool {
        !matches!(self, Self::Native)
    }

    pub(in crate::config) fn resolve(formats: Vec<Self>) -> Result<Vec<Self>, Error> {
        if formats.iter().any(Self::lacks_secret_key) {
            return Err(Setting::SECRET_KEY.invalid("is required for cookies of Tornado and Flask"));
        }
        if formats
            .iter()
            .any(|format| matches!(format, Self::Tornado(cookie) if cookie.max_age_days == 0))
        {
            return Err(Setting::COOKIE_FORMATS.invalid("must have a `max_age_days` of 1 or more"));
        }
        match formats.first() {
            None => Err(Setting::COOKIE_FORMATS.invalid("must name at least one format")),
            Some(Self::UnsignedForgeableIds) => Err(Setting::COOKIE_FORMATS.invalid(
                "starts with `unsigned-forgeable-ids`, which is never written: put another format \
                 first",
            )),
            Some(_) => Ok(formats),
        }
    }
}
