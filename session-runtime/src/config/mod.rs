//! What an application can set, and what is made of it at start.

#[cfg(feature = "clap")]
mod args;
mod cookie;
mod env;
mod lifetime;
mod memory_url;
mod misspelt;
#[cfg(feature = "redis-session-compat")]
mod python;
mod secret;
mod settings;
mod store_url;
#[cfg(test)]
mod tests;
mod weak;

#[cfg(feature = "clap")]
pub use args::SessionArgs;
pub use cookie::SameSite;
pub use lifetime::Lifetime;
#[cfg(feature = "redis-session-compat")]
pub use python::{CookieFormat, FlaskCookie, TornadoCookie};

pub(crate) use cookie::CookieSettings;
pub(crate) use lifetime::Lifetimes;
pub(crate) use secret::Secret;
pub(crate) use settings::Settings;
pub(crate) use store_url::StoreUrl;

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::error::Setting;
use secret::SecretText;
use store_url::StoreText;

/// The configuration of an application's sessions: plain values, each with a default, checked
/// together when it is used.
///
/// Write it down with the methods below, read it from [environment variables](Self::from_env), or
/// from a file with `serde`. With the feature `clap`, `SessionArgs` reads it from the command line.
/// [`overridden_by_env`](Self::overridden_by_env) puts the environment over a file.
///
/// | method, and key in a file | default | key takes |
/// | --- | --- | --- |
/// | [`store`](Self::store) | `redis://127.0.0.1:6379` | text |
/// | [`prefix`](Self::prefix) | `app` | text |
/// | [`lifetime`](Self::lifetime); the key is `lifetimes` | `normal` and `remembered` | a list of [`Lifetime`]s |
/// | [`cookie_name`](Self::cookie_name) | `__Host-session-id`, or `session-id` | text |
/// | [`cookie_secure`](Self::cookie_secure) | `true` | `true` or `false` |
/// | [`cookie_http_only`](Self::cookie_http_only) | `true` | `true` or `false` |
/// | [`cookie_same_site`](Self::cookie_same_site) | `Lax` | `Strict`, `Lax` or `None` |
/// | [`cookie_path`](Self::cookie_path) | `/` | text |
/// | [`cookie_domain`](Self::cookie_domain) | none | text |
/// | [`cookie_partitioned`](Self::cookie_partitioned) | `false` | `true` or `false` |
/// | `cookie_formats`, with the feature `redis-session-compat` | `native` | a list of `CookieFormat`s |
/// | [`secret`](Self::secret) | none: required, but for the store `memory:` | text, or a list of texts |
/// | [`timeout`](Self::timeout); the key is `timeout_ms` | 1 second | milliseconds |
/// | [`connect_lazily`](Self::connect_lazily) | `false` | `true` or `false` |
/// | [`refresh_below`](Self::refresh_below) | none | a share, 0.01 to 0.99 |
/// | [`end_grace`](Self::end_grace); the key is `end_grace_ms` | 5 seconds | milliseconds |
/// | [`max_value_size`](Self::max_value_size) | 1 MiB | bytes |
/// | [`max_batch_size`](Self::max_batch_size) | 4 MiB | bytes |
///
/// In an application's tests, `testing::sessions` takes a configuration and keeps its sessions in
/// memory, by a clock that the test moves.
///
/// In a file every key may be left out, and an unknown key is an error. `Debug` shows neither
/// secrets nor the store's URL, which may hold a password.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_runtime::{Lifetime, SameSite, SessionConfig};
///
/// let config = SessionConfig::new()
///     .store("redis://127.0.0.1:6379")
///     .secret("base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=")
///     .lifetime(Lifetime::normal().idle(Duration::from_secs(1800)))
///     .cookie_same_site(SameSite::Strict);
/// # let _ = config;
/// ```
///
/// The same from JSON, or from any other format that `serde` knows:
///
/// ```
/// # use session_runtime::SessionConfig;
/// let config: SessionConfig = serde_json::from_str(r#"{
///     "store": "redis://127.0.0.1:6379",
///     "secret": "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=",
///     "lifetimes": [{ "class": "normal", "idle": 1800 }],
///     "cookie_same_site": "Strict"
/// }"#)?;
/// # let _ = config;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct SessionConfig {
    store: Option<StoreText>,
    prefix: Option<String>,
    lifetimes: Lifetimes,
    cookie_name: Option<String>,
    cookie_secure: bool,
    cookie_http_only: bool,
    cookie_same_site: SameSite,
    cookie_path: String,
    cookie_domain: Option<String>,
    cookie_partitioned: bool,
    #[cfg(feature = "redis-session-compat")]
    cookie_formats: Vec<CookieFormat>,
    secret: Option<SecretText>,
    #[serde(rename = "timeout_ms", deserialize_with = "milliseconds")]
    timeout: Duration,
    connect_lazily: bool,
    refresh_below: Option<f64>,
    #[serde(rename = "end_grace_ms", deserialize_with = "milliseconds")]
    end_grace: Duration,
    max_value_size: usize,
    max_batch_size: usize,
    /// Those whose values options of the command line gave: an error names the option.
    #[serde(skip)]
    by_options: Vec<Setting>,
}

impl SessionConfig {
    /// Every setting at its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the sessions are kept.
    ///
    /// | URL | store |
    /// | --- | --- |
    /// | `memory:` | this process; sessions end with it: see [`MemoryStore`](crate::MemoryStore) |
    /// | `memory:?max_entries=10000&max_bytes=33554432&when_full=evict` | the same with other [bounds](crate::MemoryStore#bounds), each of which may be left out; `when_full` is `refuse` or `evict` |
    /// | `redis://user:password@host:port/database` | one Redis (7 or later) or Valkey server; all but the host may be left out |
    /// | `redis+unix:///path/of/the/socket?db=…&user=…&pass=…` | the same over a unix socket |
    /// | `redis+sentinel://user:password@host:port,host:port/master-name/database` | the master that these sentinels name, again after each failover; their own login is `?sentinel_user=…&sentinel_pass=…` |
    /// | `redis+cluster://user:password@host:port,host:port` | the cluster of these nodes; a few of them are enough |
    /// | `rediss://`, `rediss+sentinel://`, `rediss+cluster://` | the same over TLS, with the feature `tls`; `?ca=FILE` for an authority of one's own, `&cert=FILE&key=FILE` for a client's certificate, all in PEM; `&server_name=HOST` where the servers' certificates are for another host than theirs |
    ///
    /// `connections=…` among the parameters is how many connections there are to each server, 1 by
    /// default. Special characters in users and passwords are percent-encoded. A user without a
    /// password has the empty one: nobody becomes the user `default` by leaving it out.
    ///
    /// Default: `redis://127.0.0.1:6379`; without the feature `redis` it is `memory:`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let config = SessionConfig::new().store("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/sessions");
    /// # let _ = config;
    /// ```
    pub fn store(self, url: impl Into<String>) -> Self {
        Self { store: Some(url.into().into()), ..self }
    }

    /// What the keys of the store begin with: a session is stored under `PREFIX:sessions:…`.
    /// Applications with different prefixes do not see each other's sessions. Default: `app`.
    ///
    /// Any text but an empty one, without braces (they decide on a cluster's slot), white space and
    /// control characters. Colons may stand in it (`shop:test`).
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: Some(prefix.into()), ..self }
    }

    /// Sets how long the sessions of one class live, in place of what was set for that class
    /// before. Defaults: see [`Lifetime`]. New sessions are of the class `normal`, until
    /// [`renew`](crate::Session::renew) moves them to another.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use session_runtime::{Lifetime, SessionConfig};
    /// const HOUR: Duration = Duration::from_secs(3600);
    /// let config = SessionConfig::new().lifetime(Lifetime::normal().idle(HOUR / 2).max(12 * HOUR));
    /// # let _ = config;
    /// ```
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetimes.set(lifetime);
        self
    }

    /// The cookie's name. Default: `__Host-session-id` while the other attributes allow that prefix
    /// (`Secure`, path `/`, no domain), else `session-id`.
    ///
    /// A browser accepts a cookie with the prefix `__Host-` from this very host only, so that no
    /// neighbouring subdomain can plant one (RFC 6265bis, section 4.1.3). Names are tokens:
    /// letters, digits and any of ``!#$%&'*+-.^_`|~``.
    pub fn cookie_name(self, name: impl Into<String>) -> Self {
        Self { cookie_name: Some(name.into()), ..self }
    }

    /// `Secure`: the browser sends the cookie over HTTPS alone. Default: `true`. Switch it off for
    /// development over plain HTTP only. It has nothing to do with signing, which is always on.
    pub fn cookie_secure(self, secure: bool) -> Self {
        Self { cookie_secure: secure, ..self }
    }

    /// `HttpOnly`: scripts of the page cannot read the cookie (OWASP Session Management Cheat
    /// Sheet, "Cookies"). Default: `true`.
    pub fn cookie_http_only(self, http_only: bool) -> Self {
        Self { cookie_http_only: http_only, ..self }
    }

    /// `SameSite`: whether the browser sends the cookie with requests that other sites cause.
    /// Default: [`SameSite::Lax`].
    pub fn cookie_same_site(self, same_site: SameSite) -> Self {
        Self { cookie_same_site: same_site, ..self }
    }

    /// `Path`: the cookie is sent for this path and what lies below it. Default: `/`. It begins
    /// with `/`; it is no protection against other applications of the same host (RFC 6265,
    /// section 8.5).
    ///
    /// After a change, browsers keep the cookie of the former path until it expires, or until they
    /// are closed. A request does not tell a cookie's path, so that no response can remove it. It
    /// does no harm: a [logout](crate::Session::destroy) ends its session too.
    pub fn cookie_path(self, path: impl Into<String>) -> Self {
        Self { cookie_path: path.into(), ..self }
    }

    /// `Domain`: the cookie is sent to this host and all its subdomains. Default: none, which is
    /// the very host that set it, and safer. A host name in ASCII (`example.com`,
    /// `xn--bcher-kva.example`); a leading dot means nothing.
    ///
    /// A logout also removes the cookie of the very host, which was set before there was a domain.
    /// That of another domain stays, as with a former [path](Self::cookie_path).
    pub fn cookie_domain(self, domain: impl Into<String>) -> Self {
        Self { cookie_domain: Some(domain.into()), ..self }
    }

    /// `Partitioned`: in a frame, the cookie is kept apart for every site that embeds it (CHIPS).
    /// Default: `false`.
    pub fn cookie_partitioned(self, partitioned: bool) -> Self {
        Self { cookie_partitioned: partitioned, ..self }
    }

    /// In what formats the cookie's value may be: the first is written, all are read. A cookie in
    /// another one than the first, or signed by an older secret, is re-issued when its session
    /// is found live, if no other cookie of the request is current. Default:
    /// [`CookieFormat::Native`] alone.
    ///
    /// With a format of the Python package `redis_session` in the list, two defaults are the
    /// package's: the [`prefix`](Self::prefix) `redis` and
    /// the [`cookie_name`](Self::cookie_name) `session-id`. `guide::redis_session` tells which list
    /// to take when.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::SessionConfig;
    /// use session_runtime::redis_session::{CookieFormat, TornadoCookie};
    ///
    /// let python = CookieFormat::Tornado(TornadoCookie::new("the application's cookie_secret, whole"));
    /// let config = SessionConfig::new().cookie_formats([python, CookieFormat::Native]);
    /// # let _ = config;
    /// ```
    #[cfg(feature = "redis-session-compat")]
    pub fn cookie_formats(self, formats: impl IntoIterator<Item = CookieFormat>) -> Self {
        Self { cookie_formats: formats.into_iter().collect(), ..self }
    }

    /// The secret, or several separated by commas, from which the keys that sign cookies are made:
    /// the first signs, all verify. To replace one, put the new one before it, and take the old
    /// one out when the sessions of that time have ended.
    ///
    /// Each is at least 32 bytes: text as it is, or bytes after `base64:` (either alphabet, padding
    /// or not) or `hex:`. White space around each is ignored, and a line break within is
    /// refused: `openssl` breaks long lines. What looks like a placeholder is refused: `changeme…`,
    /// `secret…`, repetitions, sequences. `openssl rand -base64 32` makes a good one.
    ///
    /// Default: none. Then nothing starts, except on the store `memory:`, where one is made up that
    /// ends with the process.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let (new, old) = ("base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=", "hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625");
    /// let config = SessionConfig::new().secret(format!("{new},{old}"));
    /// # let _ = config;
    /// ```
    #[doc(alias = "encrypt")]
    pub fn secret(self, secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into().into()), ..self }
    }

    /// How long one trip to the store may take: 10 milliseconds to 1 hour. Then it is
    /// [`Error::is_unavailable`](crate::Error::is_unavailable). Default: 1 second.
    ///
    /// It is also the time for which [`Field::update`](crate::Field::update) tries again while
    /// others change the field.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Starts also if the store cannot be reached: it is connected to in the background, and what
    /// is checked at the start (see [`Sessions::check`](crate::Sessions::check)) is checked
    /// then and told to `tracing`. Until then every operation is
    /// [`Error::is_unavailable`](crate::Error::is_unavailable). Default: `false`, an error at the
    /// start.
    pub fn connect_lazily(self, lazily: bool) -> Self {
        Self { connect_lazily: lazily, ..self }
    }

    /// Refreshes the expiry at a request's first read only when less than this share of it is left:
    /// 0.01 to 0.99. Default: none, every first read refreshes it. Writes always do.
    ///
    /// It saves the server a write for most requests that only read, at the price of an idle
    /// timeout that is not exact: with 0.75, a session of 24 hours idle timeout expires 18 to 24
    /// hours after its last use. With 0.01, one that is read every quarter of an hour may end
    /// while it is used.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let config = SessionConfig::new().refresh_below(0.75);
    /// # let _ = config;
    /// ```
    pub fn refresh_below(self, share: f64) -> Self {
        Self { refresh_below: Some(share), ..self }
    }

    /// The time by which a request may arrive after the end of its session and still count as under
    /// way: zero to one minute. Default: 5 seconds.
    ///
    /// Writes of a request that was under way are [`Error::is_gone`](crate::Error::is_gone), so
    /// that its response does not replace the cookie of the session that came after. A later
    /// request has no session, and its first write begins a new one. The grace is for responses
    /// that are still on their way: until the browser has the new cookie, it sends the old one. See
    /// [the guide](crate::guide::concurrency) for the case that a short grace leaves open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// use std::time::Duration;
    ///
    /// let config = SessionConfig::new().end_grace(Duration::from_secs(15)); // clients on slow networks
    /// # let _ = config;
    /// ```
    pub fn end_grace(self, grace: Duration) -> Self {
        Self { end_grace: grace, ..self }
    }

    /// How large one value may be as it is stored, in bytes: 1 to 512 MiB, which is Redis's own
    /// limit. A larger one is [`Error::is_too_large`](crate::Error::is_too_large). Default: 1
    /// MiB.
    pub fn max_value_size(self, bytes: usize) -> Self {
        Self { max_value_size: bytes, ..self }
    }

    /// How large the values of one write may be together, in bytes: from
    /// [`max_value_size`](Self::max_value_size) to 512 MiB. Default: 4 MiB.
    pub fn max_batch_size(self, bytes: usize) -> Self {
        Self { max_batch_size: bytes, ..self }
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            store: None,
            prefix: None,
            lifetimes: Lifetimes::default(),
            cookie_name: None,
            cookie_secure: true,
            cookie_http_only: true,
            cookie_same_site: SameSite::Lax,
            cookie_path: "/".into(),
            cookie_domain: None,
            cookie_partitioned: false,
            #[cfg(feature = "redis-session-compat")]
            cookie_formats: vec![CookieFormat::Native],
            secret: None,
            timeout: Duration::from_secs(1),
            connect_lazily: false,
            refresh_below: None,
            end_grace: Duration::from_secs(5),
            max_value_size: 1024 * 1024,
            max_batch_size: 4 * 1024 * 1024,
            by_options: Vec::new(),
        }
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}
