//! A configuration that was checked and can be used as it is.

use std::time::Duration;

#[cfg(feature = "redis-session-compat")]
use super::CookieFormat;
use super::{CookieSettings, Lifetimes, Secret, SessionConfig, StoreUrl};
use crate::error::{Error, Setting};
use crate::store::timeout;

/// A configuration that was checked and can be used as it is.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) store: StoreUrl,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "memory needs no connection"))]
    pub(crate) store_setting: Setting,
    pub(crate) prefix: Box<str>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) cookie: CookieSettings,
    /// The first is written, all are read; there is one.
    #[cfg(feature = "redis-session-compat")]
    pub(crate) cookie_formats: Vec<CookieFormat>,
    /// The newest first. None were given: empty, which `memory:` alone allows.
    pub(crate) secrets: Vec<Secret>,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "memory answers at once"))]
    pub(crate) timeout: Duration,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "memory needs no connection"))]
    pub(crate) connect_lazily: bool,
    pub(crate) refresh_below: Option<f64>,
    pub(crate) end_grace: Duration,
    pub(crate) max_value_size: usize,
    pub(crate) max_batch_size: usize,
}

impl SessionConfig {
    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: names the setting, its option if that gave the value, else its variable, and what it takes, never its value.
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
        let prefix = self.prefix.as_deref().unwrap_or(self.default_prefix());
        check_prefix(prefix)?;
        check_limits(&self)?;
        let settings = Settings {
            store: StoreUrl::resolve(self.store)?,
            store_setting: as_given(Setting::STORE, &self.by_options),
            prefix: prefix.into(),
            lifetimes: self.lifetimes.resolve()?,
            cookie,
            #[cfg(feature = "redis-session-compat")]
            cookie_formats: CookieFormat::resolve(self.cookie_formats)?,
            secrets: Secret::resolve(self.secret)?,
            timeout: self.timeout,
            connect_lazily: self.connect_lazily,
            refresh_below: self.refresh_below,
            end_grace: self.end_grace,
            max_value_size: self.max_value_size,
            max_batch_size: self.max_batch_size,
        };
        settings.check_secret_is_given()?;
        Ok(settings)
    }

    fn default_prefix(&self) -> &'static str {
        if self.is_shared_with_python() { "redis" } else { "app" }
    }

    /// The sessions are those of the Python package `redis_session`, too.
    #[cfg(feature = "redis-session-compat")]
    pub(super) fn is_shared_with_python(&self) -> bool {
        self.cookie_formats.iter().any(CookieFormat::is_of_python)
    }

    #[cfg(not(feature = "redis-session-compat"))]
    pub(super) fn is_shared_with_python(&self) -> bool {
        false
    }
}

/// The setting as a message has to name it: by its option, if that gave the value.
fn as_given(setting: Setting, by_options: &[Setting]) -> Setting {
    if by_options.contains(&setting) { setting.by_option() } else { setting }
}

impl Settings {
    /// Cookies in our own format are read or written.
    pub(crate) fn needs_secret(&self) -> bool {
        #[cfg(feature = "redis-session-compat")]
        let is_native = self.cookie_formats.iter().any(|format| !format.is_of_python());
        #[cfg(not(feature = "redis-session-compat"))]
        let is_native = true;
        is_native
    }

    /// A made-up secret would sign out everybody at each start, and differ from one server of the
    /// application to the next.
    fn check_secret_is_given(&self) -> Result<(), Error> {
        if self.needs_secret()
            && self.secrets.is_empty()
            && !matches!(self.store, StoreUrl::Memory(_))
        {
            return Err(Setting::SECRET.invalid(
                "is required: only the store `memory:` does without; make one with `openssl rand \
                 -base64 32`",
            ));
        }
        Ok(())
    }
}

/// With braces a key's slot in a cluster would not be its session's tag.
fn check_prefix(prefix: &str) -> Result<(), Error> {
    let refused = |c: char| matches!(c, '{' | '}') || c.is_whitespace() || c.is_control();
    if prefix.is_empty() || prefix.contains(refused) {
        return Err(Setting::PREFIX
            .invalid("must be a text without braces, white space and control characters"));
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
    Setting::MAX_VALUE_SIZE.check_range(value, 1..=REDIS_LIMIT, "1 byte to 512 MiB")?;
    Setting::MAX_BATCH_SIZE.check_range(
        batch,
        value..=REDIS_LIMIT,
        "a size from `max_value_size` to 512 MiB",
    )
}

/// The longest string that Redis stores, as its `proto-max-bulk-len` is set by default.
const REDIS_LIMIT: usize = 512 * 1024 * 1024;
