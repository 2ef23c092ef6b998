//! The configuration from environment variables and options.

use std::ffi::OsString;
use std::time::Duration;

#[cfg(feature = "redis-session-compat")]
use super::CookieFormat;
use super::misspelt::warn_of_misspelt_variables;
#[cfg(any(test, not(feature = "encryption")))]
use super::secret::NEEDS_ENCRYPTION;
use super::{Lifetime, NearCache, SessionConfig};
use crate::error::Error;
use crate::error::Setting;

impl SessionConfig {
    /// Creates a configuration from the defaults and the environment variables.
    ///
    /// | variable | takes | setting |
    /// | --- | --- | --- |
    /// | `SESSION_REDIS` | a URL | [`store`](Self::store) |
    /// | `SESSION_REDIS_PREFIX` | a text | [`prefix`](Self::prefix) |
    /// | `SESSION_EXPIRE` | whole seconds, 1 or more | [`idle`](Lifetime::idle) of [`Lifetime::normal`] |
    /// | `SESSION_MAX_LIFETIME` | whole seconds, 60 or more | [`max`](Lifetime::max) of [`Lifetime::normal`] |
    /// | `SESSION_COOKIE_ID` | a text | [`cookie_name`](Self::cookie_name) |
    /// | `SESSION_COOKIE_SECURE` | yes or no | [`cookie_secure`](Self::cookie_secure); never switches signing off |
    /// | `SESSION_COOKIE_HTTP_ONLY` | yes or no | [`cookie_http_only`](Self::cookie_http_only) |
    /// | `SESSION_COOKIE_SAME_SITE` | `Strict`, `Lax` or `None` | [`cookie_same_site`](Self::cookie_same_site) |
    /// | `SESSION_COOKIE_PATH` | a path | [`cookie_path`](Self::cookie_path) |
    /// | `SESSION_COOKIE_DOMAIN` | a host name | [`cookie_domain`](Self::cookie_domain) |
    /// | `SESSION_TRUSTED_ORIGINS` | one origin or several, separated by commas | [`trusted_origins`](Self::trusted_origins) |
    /// | `SESSION_COOKIE_FORMATS` | one format or several, separated by commas | [`cookie_formats`] |
    /// | `SESSION_TRANSPORT` | `cookie`, `bearer` or `cookie-or-bearer` | [`transport`](Self::transport) |
    /// | `SECRET_KEY` | the key of the Python application | [`cookie_formats`] |
    /// | `SESSION_SECRET` | one secret or several, separated by commas | [`secret`](Self::secret) |
    /// | `SESSION_ENCRYPTION_KEYS` | one key or several, separated by commas | [`encryption_keys`] |
    /// | `SESSION_TIMEOUT_MS` | whole milliseconds, 10 or more | [`timeout`](Self::timeout) |
    /// | `SESSION_END_CHECK_INTERVAL` | whole seconds, 1 to 3600 | [`end_check_interval`](Self::end_check_interval) |
    /// | `SESSION_NEAR_CACHE` | whole bytes, 1048576 or more, or 0 for none | [`max_bytes`](NearCache::max_bytes) of [`near_cache`](Self::near_cache) |
    /// | `SESSION_NEAR_CACHE_MAX_STALENESS_MS` | whole milliseconds, 10 to 30000, or up to another `max_age` | [`max_staleness`](NearCache::max_staleness) of a near cache, if there is any |
    ///
    /// Yes is `true`, `1`, `yes` or `on`, and no is `false`, `0`, `no` or `off`. The case of
    /// letters does not matter. White space around a value is ignored.
    ///
    /// **Empty variables are ignored**, because compose files (`${VARIABLE:-}`) and many platforms
    /// set missing values to empty. Likely typos, such as `SESSION_EXPRE` or `SESSION_REDIS_URL`,
    /// are logged as warnings. A value in quotes is an error, because no shell has removed the
    /// quotes.
    ///
    /// The cookie formats are `native`, `tornado`, `flask` and `unsigned-forgeable-ids`. All but
    /// `native` need the feature `redis-session-compat`. `SECRET_KEY` is for the formats `tornado`
    /// and `flask`, if the configuration has no key for them. Give the whole key of the Python
    /// application. On Unix, the key may also be bytes that are not text.
    ///
    /// `SESSION_ENCRYPTION_KEYS` needs the feature `encryption`. Without the feature, the variable
    /// is an error, because the program would store fields without encryption.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a value cannot be read. The message names the variable and the
    /// accepted values, and never quotes the value. Errors of several settings together are found
    /// when the configuration is used.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::SessionConfig;
    ///
    /// let config = SessionConfig::from_env()?.cookie_name("session");
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    #[cfg_attr(
        feature = "redis-session-compat",
        doc = "\n\n[`cookie_formats`]: Self::cookie_formats\n"
    )]
    #[cfg_attr(
        not(feature = "redis-session-compat"),
        doc = "\n\n[`cookie_formats`]: crate#features\n"
    )]
    #[cfg_attr(feature = "encryption", doc = "\n\n[`encryption_keys`]: Self::encryption_keys\n")]
    #[cfg_attr(not(feature = "encryption"), doc = "\n\n[`encryption_keys`]: crate#features\n")]
    #[doc(alias = "dotenv")]
    #[doc(alias = "environment")]
    pub fn from_env() -> Result<Self, Error> {
        Self::new().overridden_by_env()
    }

    /// Overrides this configuration with the environment variables of [`from_env`](Self::from_env).
    ///
    /// Settings whose variable is empty or not set stay. In this way, the environment can override
    /// a configuration file.
    ///
    /// # Errors
    ///
    /// The same as [`from_env`](Self::from_env).
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::SessionConfig;
    ///
    /// let file = r#"{ "store": "memory:", "cookie_name": "sid" }"#;
    /// let config: SessionConfig = serde_json::from_str(file)?;
    /// let config = config.overridden_by_env()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn overridden_by_env(self) -> Result<Self, Error> {
        warn_of_misspelt_variables();
        self.overridden_by(|_| None, |variable| std::env::var_os(variable))
    }

    /// Overrides this configuration with options, and with variables if there is no option.
    pub(crate) fn overridden_by(
        self,
        option: impl Fn(Setting) -> Option<OsString>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        let mut sources = Sources { option, variable, by_options: self.by_options };
        let normal = sources.lifetime(self.lifetimes.normal())?;
        #[cfg(not(feature = "redis-session-compat"))]
        sources.check_cookie_formats()?;
        #[cfg(not(feature = "encryption"))]
        sources.check_encryption_keys()?;
        Ok(Self {
            store: sources.text(Setting::STORE)?.map(Into::into).or(self.store),
            prefix: sources.text(Setting::PREFIX)?.or(self.prefix),
            cookie_name: sources.text(Setting::COOKIE_NAME)?.or(self.cookie_name),
            cookie_secure: sources.flag(Setting::COOKIE_SECURE)?.unwrap_or(self.cookie_secure),
            cookie_http_only: sources
                .flag(Setting::COOKIE_HTTP_ONLY)?
                .unwrap_or(self.cookie_http_only),
            cookie_same_site: match sources.text(Setting::COOKIE_SAME_SITE)? {
                Some(word) => word.parse()?,
                None => self.cookie_same_site,
            },
            transport: match sources.text(Setting::TRANSPORT)? {
                Some(word) => word.parse()?,
                None => self.transport,
            },
            cookie_path: sources.text(Setting::COOKIE_PATH)?.unwrap_or(self.cookie_path),
            cookie_domain: sources.text(Setting::COOKIE_DOMAIN)?.or(self.cookie_domain),
            trusted_origins: match sources.text(Setting::TRUSTED_ORIGINS)? {
                Some(list) => list.split(',').map(str::to_owned).collect(),
                None => self.trusted_origins,
            },
            #[cfg(feature = "redis-session-compat")]
            cookie_formats: sources.cookie_formats(self.cookie_formats)?,
            secret: sources.text(Setting::SECRET)?.map(Into::into).or(self.secret),
            #[cfg(feature = "encryption")]
            encryption_keys: sources
                .text(Setting::ENCRYPTION_KEYS)?
                .map(Into::into)
                .or(self.encryption_keys),
            timeout: sources
                .number(Setting::TIMEOUT, "milliseconds")?
                .map_or(self.timeout, Duration::from_millis),
            end_check_interval: sources
                .number(Setting::END_CHECK_INTERVAL, "seconds")?
                .map_or(self.end_check_interval, Duration::from_secs),
            near_cache: sources.near_cache(self.near_cache)?,
            by_options: sources.by_options,
            ..self
        }
        .lifetime(normal))
    }
}

/// The sources of values: options and variables.
struct Sources<O, V> {
    option: O,
    variable: V,
    by_options: Vec<Setting>,
}

impl<O, V> Sources<O, V>
where
    O: Fn(Setting) -> Option<OsString>,
    V: Fn(&str) -> Option<OsString>,
{
    fn lifetime(&mut self, base: Lifetime) -> Result<Lifetime, Error> {
        let idle = self.number(Setting::IDLE, "seconds")?.map_or(base.idle, Duration::from_secs);
        let max = self.number(Setting::MAX, "seconds")?.map_or(base.max, Duration::from_secs);
        Ok(base.idle(idle).max(max))
    }

    /// A size is enough for a near cache. A staleness alone changes only a near cache of the base.
    fn near_cache(&mut self, base: Option<NearCache>) -> Result<Option<NearCache>, Error> {
        let size = self.number(Setting::NEAR_CACHE, "bytes")?;
        let staleness = self.number(Setting::NEAR_CACHE_MAX_STALENESS, "milliseconds")?;
        let cache = match size {
            Some(bytes) => Some(base.unwrap_or_default().max_bytes(saturating(bytes))),
            None => base,
        };
        Ok(cache.map(|cache| match staleness {
            Some(millis) => cache.max_staleness(Duration::from_millis(millis)),
            None => cache,
        }))
    }

    #[cfg(feature = "redis-session-compat")]
    fn cookie_formats(&mut self, base: Vec<CookieFormat>) -> Result<Vec<CookieFormat>, Error> {
        let formats = match self.text(Setting::COOKIE_FORMATS)? {
            Some(words) => words
                .split(',')
                .map(|word| CookieFormat::named(word.trim()))
                .collect::<Result<_, _>>()?,
            None => base,
        };
        let key = Setting::SECRET_KEY.variable.and_then(&self.variable);
        match key.filter(|_| formats.iter().any(CookieFormat::lacks_secret_key)) {
            None => Ok(formats),
            Some(key) => {
                let key = bytes(Setting::SECRET_KEY, key)?;
                Ok(formats.into_iter().map(|format| format.with_missing_secret_key(&key)).collect())
            }
        }
    }

    /// Refuses Python's formats without the feature. Otherwise, the program would start and read no
    /// Python cookies.
    #[cfg(any(test, not(feature = "redis-session-compat")))]
    fn check_cookie_formats(&mut self) -> Result<(), Error> {
        match self.text(Setting::COOKIE_FORMATS)? {
            Some(words) if words != "native" => Err(Setting::COOKIE_FORMATS.invalid(
                "must be `native`: other formats need the crate feature `redis-session-compat`",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses keys without the feature.
    #[cfg(any(test, not(feature = "encryption")))]
    fn check_encryption_keys(&mut self) -> Result<(), Error> {
        match self.text(Setting::ENCRYPTION_KEYS)? {
            Some(_) => Err(Setting::ENCRYPTION_KEYS.invalid(NEEDS_ENCRYPTION)),
            None => Ok(()),
        }
    }

    fn number(&mut self, setting: Setting, of: &str) -> Result<Option<u64>, Error> {
        let Some((setting, text)) = self.find(setting)? else { return Ok(None) };
        text.parse()
            .map(Some)
            .map_err(|_| setting.invalid(format!("must be a whole number of {of}")))
    }

    fn flag(&mut self, setting: Setting) -> Result<Option<bool>, Error> {
        let Some((setting, text)) = self.find(setting)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(setting.invalid("must be `true` or `false`")),
        }
    }

    fn text(&mut self, setting: Setting) -> Result<Option<String>, Error> {
        Ok(self.find(setting)?.map(|(_, text)| text))
    }

    /// Returns the text of the option, or else the text of the variable. Returns nothing if both
    /// are empty or not set. The returned setting has the name for errors.
    fn find(&mut self, setting: Setting) -> Result<Option<(Setting, String)>, Error> {
        if let Some(text) = text(setting.by_option(), (self.option)(setting))? {
            self.by_options.push(setting);
            return Ok(Some((setting.by_option(), text)));
        }
        let Some(text) = text(setting, setting.variable.and_then(&self.variable))? else {
            return Ok(None);
        };
        self.by_options.retain(|other| *other != setting);
        Ok(Some((setting, text)))
    }
}

fn saturating(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Returns the trimmed text, or nothing if the text is empty.
fn text(setting: Setting, value: Option<OsString>) -> Result<Option<String>, Error> {
    let Some(value) = value else { return Ok(None) };
    let text = value.into_string().map_err(|_| setting.invalid("must be UTF-8 text"))?;
    let text = text.trim();
    let is_secret = [Setting::SECRET, Setting::ENCRYPTION_KEYS].contains(&setting);
    if !is_secret && is_in_quotes(text) {
        return Err(setting.invalid("must not be in quotes"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Returns whether the text is in quotes. Files of variables keep their quotes if no shell reads
/// them (`docker run --env-file`).
fn is_in_quotes(text: &str) -> bool {
    ['"', '\'']
        .iter()
        .any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote))
}

#[cfg(all(feature = "redis-session-compat", unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "environment variables of other systems are not bytes"
)]
fn bytes(_: Setting, value: OsString) -> Result<Vec<u8>, Error> {
    use std::os::unix::ffi::OsStringExt as _;

    Ok(value.into_vec())
}

#[cfg(all(feature = "redis-session-compat", not(unix)))]
fn bytes(setting: Setting, value: OsString) -> Result<Vec<u8>, Error> {
    value.into_string().map(String::into_bytes).map_err(|_| setting.invalid("must be UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_without_their_feature_are_refused() {
        let check = |words: &str| {
            let variable = |name: &str| (name == "SESSION_COOKIE_FORMATS").then(|| words.into());
            Sources { option: |_| None, variable, by_options: Vec::new() }.check_cookie_formats()
        };
        assert!(check(" native ").is_ok() && check("").is_ok());
        let error = check("tornado,native").unwrap_err();
        assert!(error.to_string().contains("feature `redis-session-compat`"), "{error}");
    }

    #[test]
    fn encryption_keys_without_their_feature_are_refused() {
        let check = |keys: &str| {
            let variable = |name: &str| (name == "SESSION_ENCRYPTION_KEYS").then(|| keys.into());
            Sources { option: |_| None, variable, by_options: Vec::new() }.check_encryption_keys()
        };
        assert!(check("").is_ok() && check(" \n").is_ok());
        for keys in ["HUNTER2", "\"HUNTER2\""] {
            let error = check(keys).unwrap_err();
            let shown = format!("{error} {error:?}");
            let named = "(SESSION_ENCRYPTION_KEYS) needs the crate feature `encryption`";
            assert!(error.is_config() && shown.contains(named), "{shown}");
            assert!(!shown.contains("HUNTER2"), "{shown}");
        }
    }
}
