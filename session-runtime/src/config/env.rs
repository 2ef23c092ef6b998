//! The configuration from environment variables.

use std::ffi::OsString;
use std::time::Duration;

#[cfg(feature = "redis-session-compat")]
use super::CookieFormat;
use super::setting::Setting;
use super::{Lifetime, SessionConfig};
use crate::error::Error;

impl SessionConfig {
    /// The defaults, changed by environment variables.
    ///
    /// | variable | takes | setting |
    /// | --- | --- | --- |
    /// | `SESSION_REDIS` | a URL | [`store`](Self::store) |
    /// | `SESSION_REDIS_PREFIX` | a text | [`prefix`](Self::prefix) |
    /// | `SESSION_EXPIRE` | whole seconds | [`idle`](Lifetime::idle) of [`Lifetime::normal`] |
    /// | `SESSION_MAX_LIFETIME` | whole seconds | [`max`](Lifetime::max) of [`Lifetime::normal`] |
    /// | `SESSION_COOKIE_ID` | a text | [`cookie_name`](Self::cookie_name) |
    /// | `SESSION_COOKIE_SECURE` | yes or no | [`cookie_secure`](Self::cookie_secure); never switches signing off |
    /// | `SESSION_COOKIE_HTTP_ONLY` | yes or no | [`cookie_http_only`](Self::cookie_http_only) |
    /// | `SESSION_COOKIE_SAME_SITE` | `Strict`, `Lax` or `None` | [`cookie_same_site`](Self::cookie_same_site) |
    /// | `SESSION_COOKIE_PATH` | a path | [`cookie_path`](Self::cookie_path) |
    /// | `SESSION_COOKIE_DOMAIN` | a host name | [`cookie_domain`](Self::cookie_domain) |
    /// | `SESSION_COOKIE_FORMATS`, with the feature `redis-session-compat` | `native`, `tornado`, `flask` or `unsigned-forgeable-ids`, several separated by commas | `cookie_formats` |
    /// | `SECRET_KEY`, for `tornado` and `flask` | the Python application's, whole | `cookie_formats` |
    /// | `SESSION_SECRET` | one or more, separated by commas | [`secret`](Self::secret) |
    /// | `SESSION_TIMEOUT_MS` | whole milliseconds | [`timeout`](Self::timeout) |
    ///
    /// Yes and no are `true` `1` `yes` `on` and `false` `0` `no` `off`; words in any case. White space around a value is ignored. A variable
    /// that is **empty counts as not set**: that is what `${VARIABLE:-}` of compose files and unset entries of many platforms arrive as.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a value cannot be read. The message names the variable and what it takes, and does not quote the value. What
    /// only shows in all settings together is found when the configuration is used.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::SessionConfig;
    ///
    /// let config = SessionConfig::from_env()?.cookie_name("session");
    /// # let _ = config;
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        Self::from_lookup(|variable| std::env::var_os(variable))
    }

    /// [`from_env`](Self::from_env) over any source of variables.
    pub(super) fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let env = Environment { lookup };
        let default = Self::default();
        Ok(Self {
            store: env.text(Setting::STORE)?.map(Into::into),
            prefix: env.text(Setting::PREFIX)?,
            cookie_name: env.text(Setting::COOKIE_NAME)?,
            cookie_secure: env.flag(Setting::COOKIE_SECURE)?.unwrap_or(default.cookie_secure),
            cookie_http_only: env.flag(Setting::COOKIE_HTTP_ONLY)?.unwrap_or(default.cookie_http_only),
            cookie_same_site: match env.text(Setting::COOKIE_SAME_SITE)? {
                Some(word) => word.parse()?,
                None => default.cookie_same_site,
            },
            cookie_path: env.text(Setting::COOKIE_PATH)?.unwrap_or(default.cookie_path),
            cookie_domain: env.text(Setting::COOKIE_DOMAIN)?,
            #[cfg(feature = "redis-session-compat")]
            cookie_formats: env.cookie_formats()?.unwrap_or(default.cookie_formats),
            secret: env.text(Setting::SECRET)?.map(Into::into),
            timeout: env
                .number(Setting::TIMEOUT, "milliseconds")?
                .map_or(default.timeout, Duration::from_millis),
            ..default
        }
        .lifetime(env.normal_lifetime()?))
    }
}

struct Environment<L> {
    lookup: L,
}

impl<L: Fn(&str) -> Option<OsString>> Environment<L> {
    fn normal_lifetime(&self) -> Result<Lifetime, Error> {
        let default = Lifetime::normal();
        let idle = self.number(Setting::IDLE, "seconds")?.map_or(default.idle, Duration::from_secs);
        let max = self.number(Setting::MAX, "seconds")?.map_or(default.max, Duration::from_secs);
        Ok(default.idle(idle).max(max))
    }

    #[cfg(feature = "redis-session-compat")]
    fn cookie_formats(&self) -> Result<Option<Vec<CookieFormat>>, Error> {
        let Some(words) = self.text(Setting::COOKIE_FORMATS)? else { return Ok(None) };
        let secret_key = self.raw(Setting::SECRET_KEY)?.filter(|key| !key.is_empty());
        words
            .split(',')
            .map(|word| CookieFormat::named(word.trim(), secret_key.as_deref()))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn number(&self, setting: Setting, of: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.text(setting)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| setting.refuse(format!("takes a whole number of {of}")))
    }

    fn flag(&self, setting: Setting) -> Result<Option<bool>, Error> {
        let Some(text) = self.text(setting)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(setting.refuse("takes `true` or `false`")),
        }
    }

    /// The variable's text, unless it is not set or empty.
    fn text(&self, setting: Setting) -> Result<Option<String>, Error> {
        let Some(value) = self.raw(setting)? else { return Ok(None) };
        let text = value.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn raw(&self, setting: Setting) -> Result<Option<String>, Error> {
        let Some(value) = setting.variable.and_then(&self.lookup) else { return Ok(None) };
        value.into_string().map(Some).map_err(|_| setting.refuse("takes UTF-8 text"))
    }
}
