//! Checked configurations.

use std::time::Duration;

#[cfg(feature = "redis-session-compat")]
use super::CookieFormat;
use super::{
    CookieSettings, Lifetimes, NearCache, Secret, SessionConfig, StoreUrl, Transport,
    TransportSettings, TrustedOrigins,
};
use crate::error::{Error, Setting};
use crate::store::timeout;

/// A checked configuration, ready for use.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) store: StoreUrl,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "memory needs no connection"))]
    pub(crate) store_setting: Setting,
    pub(crate) prefix: Box<str>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) cookie: CookieSettings,
    pub(crate) transport: TransportSettings,
    pub(crate) trusted_origins: TrustedOrigins,
    /// The formats of the cookie, at least one. The first is written, and all are read.
    #[cfg(feature = "redis-session-compat")]
    pub(crate) cookie_formats: Vec<CookieFormat>,
    /// The secrets, the newest first. The list may be empty only for `memory:`.
    pub(crate) secrets: Vec<Secret>,
    /// The keys of encrypted fields, the newest first. If none are given, the keys come from the
    /// secrets.
    #[cfg(feature = "encryption")]
    pub(crate) encryption_keys: Vec<Secret>,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "memory replies at once"))]
    pub(crate) timeout: Duration,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "memory needs no connection"))]
    pub(crate) connect_lazily: bool,
    pub(crate) refresh_below: Option<f64>,
    pub(crate) end_grace: Duration,
    pub(crate) end_check_interval: Duration,
    pub(crate) near_cache: Option<NearCache>,
    pub(crate) max_value_size: usize,
    pub(crate) max_batch_size: usize,
}

impl SessionConfig {
    /// Checks all settings.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] with the name of the setting and the accepted values, but never the
    /// given value. The name includes the option, if the value came from the option, or else the
    /// variable.
    pub(crate) fn resolve(self) -> Result<Settings, Error> {
        let by_options = self.by_options.clone();
        self.check().map_err(|mut error| {
            if let Some(setting) = error.setting_mut() {
                *setting = as_given(*setting, &by_options);
            }
            error
        })
    }

    fn check(self) -> Result<Settings, Error> {
        let cookie = CookieSettings::resolve(&self)?;
        let transport = TransportSettings::resolve(&self)?;
        let prefix = self.prefix.as_deref().unwrap_or(self.default_prefix());
        check_prefix(prefix)?;
        check_limits(&self)?;
        let settings = Settings {
            store: StoreUrl::resolve(self.store)?,
            store_setting: as_given(Setting::STORE, &self.by_options),
            prefix: prefix.into(),
            lifetimes: self.lifetimes.resolve()?,
            cookie,
            transport,
            trusted_origins: TrustedOrigins::resolve(&self.trusted_origins)?,
            #[cfg(feature = "redis-session-compat")]
            cookie_formats: CookieFormat::resolve(self.cookie_formats)?,
            secrets: Secret::resolve(self.secret)?,
            #[cfg(feature = "encryption")]
            encryption_keys: Secret::resolve_encryption_keys(self.encryption_keys)?,
            timeout: self.timeout,
            connect_lazily: self.connect_lazily,
            refresh_below: self.refresh_below,
            end_grace: self.end_grace,
            end_check_interval: self.end_check_interval,
            near_cache: NearCache::resolve(self.near_cache)?,
            max_value_size: self.max_value_size,
            max_batch_size: self.max_batch_size,
        };
        settings.check_secret_is_given()?;
        Ok(settings)
    }

    fn default_prefix(&self) -> &'static str {
        if self.is_shared_with_python() { "redis" } else { "app" }
    }

    /// Returns whether sessions are shared with the Python package `redis_session`.
    #[cfg(feature = "redis-session-compat")]
    pub(super) fn is_shared_with_python(&self) -> bool {
        self.cookie_formats.iter().any(CookieFormat::is_of_python)
    }

    #[cfg(not(feature = "redis-session-compat"))]
    pub(super) fn is_shared_with_python(&self) -> bool {
        false
    }
}

/// Returns the setting as a message has to name it: by the option, if the value came from the
/// option.
fn as_given(setting: Setting, by_options: &[Setting]) -> Setting {
    if by_options.contains(&setting) { setting.by_option() } else { setting }
}

impl Settings {
    /// Returns whether tokens or native cookies are read or written.
    pub(crate) fn needs_secret(&self) -> bool {
        #[cfg(feature = "redis-session-compat")]
        let is_native = self.cookie_formats.iter().any(|format| !format.is_of_python());
        #[cfg(not(feature = "redis-session-compat"))]
        let is_native = true;
        is_native || self.transport.transport != Transport::Cookie
    }

    /// Requires a secret, except for the memory store. A generated secret would sign out every user
    /// at each start, and would differ between the servers of the application.
    fn check_secret_is_given(&self) -> Result<(), Error> {
        if self.needs_secret()
            && self.secrets.is_empty()
            && !matches!(self.store, StoreUrl::Memory(_))
        {
            return Err(Setting::SECRET.invalid(
                "is required, except for the store `memory:`; generate a secret with `openssl rand \
                 -base64 32`",
            ));
        }
        Ok(())
    }
}

/// Checks the prefix. With braces in the prefix, a session's tag would no longer decide on the
/// cluster slot of the key.
fn check_prefix(prefix: &str) -> Result<(), Error> {
    let refused = |c: char| matches!(c, '{' | '}') || c.is_whitespace() || c.is_control();
    if prefix.is_empty() || prefix.contains(refused) {
        return Err(Setting::PREFIX.invalid(
            "must be a non-empty text without braces, white space and control characters",
        ));
    }
    Ok(())
}

fn check_limits(config: &SessionConfig) -> Result<(), Error> {
    let (value, batch) = (config.max_value_size, config.max_batch_size);
    Setting::TIMEOUT.check_range(config.timeout, timeout::ALLOWED, timeout::ALLOWED_TEXT)?;
    if let Some(share) = config.refresh_below {
        Setting::REFRESH_BELOW.check_range(share, 0.01..=0.99, "a share of 0.01 to 0.99")?;
    }
    let graces = Duration::ZERO..=Duration::from_secs(60);
    Setting::END_GRACE.check_range(config.end_grace, graces, "up to 1 minute")?;
    let intervals = Duration::from_secs(1)..=Duration::from_secs(60 * 60);
    Setting::END_CHECK_INTERVAL.check_range(
        config.end_check_interval,
        intervals,
        "1 second to 1 hour",
    )?;
    Setting::MAX_VALUE_SIZE.check_range(value, 1..=REDIS_LIMIT, "1 byte to 512 MiB")?;
    Setting::MAX_BATCH_SIZE.check_range(
        batch,
        value..=REDIS_LIMIT,
        "a size from `max_value_size` to 512 MiB",
    )
}

/// The maximum length of a string in Redis, the default of `proto-max-bulk-len`.
const REDIS_LIMIT: usize = 512 * 1024 * 1024;
