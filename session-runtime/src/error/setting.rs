//! The names of the settings in code, in files, in the environment and on the command line.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use super::Error;

/// A setting, for messages that say how to change its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The method of the builder, and the key in a file.
    key: &'static str,
    /// The environment variable.
    pub(crate) variable: Option<&'static str>,
    /// The value came from the option, which has the name of the variable: `--session-redis`.
    by_option: bool,
}

impl Setting {
    pub(crate) const STORE: Self = Self::new("store", "SESSION_REDIS");
    pub(crate) const PREFIX: Self = Self::new("prefix", "SESSION_REDIS_PREFIX");
    pub(crate) const IDLE: Self = Self::new("idle", "SESSION_EXPIRE");
    pub(crate) const MAX: Self = Self::new("max", "SESSION_MAX_LIFETIME");
    pub(crate) const COOKIE_NAME: Self = Self::new("cookie_name", "SESSION_COOKIE_ID");
    pub(crate) const COOKIE_SECURE: Self = Self::new("cookie_secure", "SESSION_COOKIE_SECURE");
    pub(crate) const COOKIE_HTTP_ONLY: Self =
        Self::new("cookie_http_only", "SESSION_COOKIE_HTTP_ONLY");
    pub(crate) const COOKIE_SAME_SITE: Self =
        Self::new("cookie_same_site", "SESSION_COOKIE_SAME_SITE");
    pub(crate) const COOKIE_PATH: Self = Self::new("cookie_path", "SESSION_COOKIE_PATH");
    pub(crate) const COOKIE_DOMAIN: Self = Self::new("cookie_domain", "SESSION_COOKIE_DOMAIN");
    pub(crate) const COOKIE_FORMATS: Self = Self::new("cookie_formats", "SESSION_COOKIE_FORMATS");
    #[cfg(feature = "redis-session-compat")]
    pub(crate) const SECRET_KEY: Self = Self::new("secret_key", "SECRET_KEY");
    pub(crate) const COOKIE_PARTITIONED: Self = Self::keyed("cookie_partitioned");
    pub(crate) const TRANSPORT: Self = Self::new("transport", "SESSION_TRANSPORT");
    pub(crate) const TOKEN_HEADER: Self = Self::keyed("token_header");
    pub(crate) const TOKEN_RESPONSE_HEADER: Self = Self::keyed("token_response_header");
    pub(crate) const TRUSTED_ORIGINS: Self =
        Self::new("trusted_origins", "SESSION_TRUSTED_ORIGINS");
    pub(crate) const SECRET: Self = Self::new("secret", "SESSION_SECRET");
    pub(crate) const ENCRYPTION_KEYS: Self =
        Self::new("encryption_keys", "SESSION_ENCRYPTION_KEYS");
    pub(crate) const TIMEOUT: Self = Self::new("timeout", "SESSION_TIMEOUT_MS");
    pub(crate) const REFRESH_BELOW: Self = Self::keyed("refresh_below");
    pub(crate) const END_GRACE: Self = Self::keyed("end_grace");
    pub(crate) const END_CHECK_INTERVAL: Self =
        Self::new("end_check_interval", "SESSION_END_CHECK_INTERVAL");
    pub(crate) const NEAR_CACHE: Self = Self::new("near_cache.max_bytes", "SESSION_NEAR_CACHE");
    pub(crate) const NEAR_CACHE_MAX_STALENESS: Self =
        Self::new("near_cache.max_staleness", "SESSION_NEAR_CACHE_MAX_STALENESS_MS");
    pub(crate) const NEAR_CACHE_MAX_AGE: Self = Self::keyed("near_cache.max_age");
    pub(crate) const MAX_VALUE_SIZE: Self = Self::keyed("max_value_size");
    pub(crate) const MAX_BATCH_SIZE: Self = Self::keyed("max_batch_size");

    /// The settings that the environment can change.
    pub(crate) const OF_ENVIRONMENT: [Self; 19] = [
        Self::STORE,
        Self::PREFIX,
        Self::IDLE,
        Self::MAX,
        Self::COOKIE_NAME,
        Self::COOKIE_SECURE,
        Self::COOKIE_HTTP_ONLY,
        Self::COOKIE_SAME_SITE,
        Self::COOKIE_PATH,
        Self::COOKIE_DOMAIN,
        Self::COOKIE_FORMATS,
        Self::TRANSPORT,
        Self::TRUSTED_ORIGINS,
        Self::SECRET,
        Self::ENCRYPTION_KEYS,
        Self::TIMEOUT,
        Self::END_CHECK_INTERVAL,
        Self::NEAR_CACHE,
        Self::NEAR_CACHE_MAX_STALENESS,
    ];

    const fn new(key: &'static str, variable: &'static str) -> Self {
        Self { key, variable: Some(variable), by_option: false }
    }

    const fn keyed(key: &'static str) -> Self {
        Self { key, variable: None, by_option: false }
    }

    /// Returns the same setting without the variable, if the environment cannot change the value.
    pub(crate) const fn without_variable(self) -> Self {
        Self::keyed(self.key)
    }

    /// Returns the same setting with a value that came from the option.
    pub(crate) const fn by_option(self) -> Self {
        Self { by_option: true, ..self }
    }

    /// Creates an error that names the setting. `reason` completes a sentence and does not quote
    /// the value.
    pub(crate) fn invalid(self, reason: impl Into<Cow<'static, str>>) -> Error {
        Error::setting(self, reason)
    }

    pub(crate) fn check_range<T: PartialOrd>(
        self,
        value: T,
        range: RangeInclusive<T>,
        expected: &'static str,
    ) -> Result<(), Error> {
        if range.contains(&value) {
            Ok(())
        } else {
            Err(self.invalid(format!("must be {expected}")))
        }
    }
}

/// Shows the name in code, and the option or variable of the value.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.key)?;
        match self.variable {
            Some(variable) if self.by_option => {
                write!(f, " (--{})", variable.to_ascii_lowercase().replace('_', "-"))
            }
            Some(variable) => write!(f, " ({variable})"),
            None => Ok(()),
        }
    }
}
