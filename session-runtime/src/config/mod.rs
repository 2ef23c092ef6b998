//! The settings of an application, and their checks at start.

#[cfg(feature = "clap")]
mod args;
mod cookie;
mod env;
mod lifetime;
mod memory_url;
mod misspelt;
mod near_cache;
#[cfg(feature = "redis-session-compat")]
mod python;
mod secret;
mod settings;
mod store_url;
#[cfg(test)]
mod tests;
mod transport;
mod trusted_origins;
mod weak;
mod web_origin;

#[cfg(feature = "clap")]
pub use args::SessionArgs;
pub use cookie::SameSite;
pub use lifetime::Lifetime;
pub use near_cache::NearCache;
#[cfg(feature = "redis-session-compat")]
pub use python::{CookieFormat, FlaskCookie, TornadoCookie};
pub use transport::Transport;

pub(crate) use cookie::CookieSettings;
pub(crate) use lifetime::Lifetimes;
pub(crate) use secret::Secret;
pub(crate) use settings::Settings;
pub(crate) use store_url::StoreUrl;
pub(crate) use transport::{AUTHORIZATION, TokenHeader, TransportSettings};
pub(crate) use trusted_origins::TrustedOrigins;
pub(crate) use web_origin::WebOrigin;

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::error::Setting;
use secret::SecretText;
use store_url::StoreText;

/// The configuration of an application's sessions.
///
/// Every setting has a default. You can set values with the methods below, read them from
/// [environment variables](Self::from_env), or load them from a file with `serde`.
/// [`overridden_by_env`](Self::overridden_by_env) lets the environment override a file. With the
/// feature `clap`, [`SessionArgs`] adds options for the command line.
///
/// All settings are checked together when [`Sessions::new`](crate::Sessions::new) takes the
/// configuration.
///
/// | method, and key in a file | default | key takes |
/// | --- | --- | --- |
/// | [`store`](Self::store) | `redis://127.0.0.1:6379` | text |
/// | [`prefix`](Self::prefix) | `app` | text |
/// | [`lifetime`](Self::lifetime), key `lifetimes` | `normal` and `remembered` | a list of [`Lifetime`]s |
/// | [`cookie_name`](Self::cookie_name) | `__Host-session-id`, or `session-id` | text |
/// | [`cookie_secure`](Self::cookie_secure) | `true` | `true` or `false` |
/// | [`cookie_http_only`](Self::cookie_http_only) | `true` | `true` or `false` |
/// | [`cookie_same_site`](Self::cookie_same_site) | `Lax` | `Strict`, `Lax` or `None` |
/// | [`cookie_path`](Self::cookie_path) | `/` | text |
/// | [`cookie_domain`](Self::cookie_domain) | none | text |
/// | [`cookie_partitioned`](Self::cookie_partitioned) | `false` | `true` or `false` |
/// | [`trusted_origins`](Self::trusted_origins) | none | a list of texts |
/// | [`cookie_formats`], with the feature `redis-session-compat` | `native` | a list of [`CookieFormat`]s |
/// | [`transport`](Self::transport) | `Cookie` | `Cookie`, `Bearer` or `CookieOrBearer` |
/// | [`token_header`](Self::token_header) | `Authorization` | text |
/// | [`token_response_header`](Self::token_response_header) | `Session-Token` | text |
/// | [`interchangeable_transports`](Self::interchangeable_transports) | `false` | `true` or `false` |
/// | [`secret`](Self::secret) | none; required, except for the store `memory:` | text, or a list of texts |
/// | [`encryption_keys`], with the feature `encryption` | none; derived from the secrets | text, or a list of texts |
/// | [`timeout`](Self::timeout), key `timeout_ms` | 1 second | milliseconds |
/// | [`connect_lazily`](Self::connect_lazily) | `false` | `true` or `false` |
/// | [`refresh_below`](Self::refresh_below) | none, or 0.9 with a near cache | a share, 0.01 to 0.99 |
/// | [`end_grace`](Self::end_grace), key `end_grace_ms` | 5 seconds | milliseconds |
/// | [`end_check_interval`](Self::end_check_interval) | 60 seconds | seconds |
/// | [`near_cache`](Self::near_cache) | none | the keys of [`NearCache`] |
/// | [`max_value_size`](Self::max_value_size) | 1 MiB | bytes |
/// | [`max_batch_size`](Self::max_batch_size) | 4 MiB | bytes |
///
/// In a file, every key is optional, and an unknown key is an error. `Debug` hides secrets, and the
/// store's URL, which may contain a password.
///
/// For tests, [`testing::sessions`] takes a configuration and keeps its sessions in memory. The
/// test controls the clock.
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
/// ```
///
/// The same configuration from JSON. Any other format of `serde` works too.
///
/// ```
/// use session_runtime::SessionConfig;
///
/// let config: SessionConfig = serde_json::from_str(r#"{
///     "store": "redis://127.0.0.1:6379",
///     "secret": "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=",
///     "lifetimes": [{ "class": "normal", "idle": 1800 }],
///     "cookie_same_site": "Strict"
/// }"#)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[cfg_attr(not(feature = "clap"), doc = "\n\n[`SessionArgs`]: crate#features\n")]
#[cfg_attr(
    feature = "redis-session-compat",
    doc = "\n\n[`cookie_formats`]: Self::cookie_formats\n"
)]
#[cfg_attr(not(feature = "redis-session-compat"), doc = "\n\n[`cookie_formats`]: crate#features\n")]
#[cfg_attr(not(feature = "redis-session-compat"), doc = "\n\n[`CookieFormat`]: crate#features\n")]
#[cfg_attr(feature = "encryption", doc = "\n\n[`encryption_keys`]: Self::encryption_keys\n")]
#[cfg_attr(not(feature = "encryption"), doc = "\n\n[`encryption_keys`]: crate#features\n")]
#[cfg_attr(feature = "testing", doc = "\n\n[`testing::sessions`]: crate::testing::sessions\n")]
#[cfg_attr(not(feature = "testing"), doc = "\n\n[`testing::sessions`]: crate#features\n")]
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
    trusted_origins: Vec<String>,
    #[cfg(feature = "redis-session-compat")]
    cookie_formats: Vec<CookieFormat>,
    transport: Transport,
    token_header: Option<String>,
    token_response_header: Option<String>,
    interchangeable_transports: bool,
    #[serde(deserialize_with = "SecretText::of_secret")]
    secret: Option<SecretText>,
    #[cfg(feature = "encryption")]
    #[serde(deserialize_with = "SecretText::of_encryption_keys")]
    encryption_keys: Option<SecretText>,
    #[cfg(not(feature = "encryption"))]
    #[serde(deserialize_with = "secret::refuse_encryption_keys")]
    encryption_keys: (),
    #[serde(rename = "timeout_ms", deserialize_with = "milliseconds")]
    timeout: Duration,
    connect_lazily: bool,
    refresh_below: Option<f64>,
    #[serde(rename = "end_grace_ms", deserialize_with = "milliseconds")]
    end_grace: Duration,
    #[serde(deserialize_with = "seconds")]
    end_check_interval: Duration,
    near_cache: Option<NearCache>,
    max_value_size: usize,
    max_batch_size: usize,
    /// The settings whose values came from options of the command line. Errors name the option.
    #[serde(skip)]
    by_options: Vec<Setting>,
}

impl SessionConfig {
    /// Creates a configuration with every setting at its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the URL of the session store. Default: `redis://127.0.0.1:6379`, or `memory:` without
    /// the feature `redis`.
    ///
    /// | URL | store |
    /// | --- | --- |
    /// | `memory:` | the memory of this process, see [`MemoryStore`](crate::MemoryStore) |
    /// | `memory:?max_entries=10000&max_bytes=33554432&when_full=evict` | the same with other [bounds](crate::MemoryStore#bounds) |
    /// | `redis://user:password@host:port/database` | one Redis or Valkey server |
    /// | `redis+unix:///path/of/the/socket?db=…&user=…&pass=…` | the same over a Unix socket |
    /// | `redis+sentinel://user:password@host:port,host:port/master-name/database` | the master that these sentinels name |
    /// | `redis+cluster://user:password@host:port,host:port` | the cluster of these nodes |
    /// | `rediss://`, `rediss+sentinel://`, `rediss+cluster://` | the same over TLS, with the feature `tls` |
    ///
    /// - `memory:`: sessions end with the process. Each bound is optional, and `when_full` is
    ///   `refuse` or `evict`.
    /// - `redis://`: Redis must be version 7 or later. Only the host is required.
    /// - `redis+sentinel://`: the master is looked up again after each failover. For a login at the
    ///   sentinels, add `?sentinel_user=…&sentinel_pass=…`.
    /// - `redis+cluster://`: a few of the nodes are enough.
    /// - TLS: add `?ca=FILE` for a custom certificate authority, and `&cert=FILE&key=FILE` for a
    ///   client certificate. All files are PEM. If the certificates of the servers are issued for a
    ///   different host, add `&server_name=HOST`.
    /// - Any Redis URL: `connections=…` is the number of connections to each server, 1 by default.
    ///
    /// Special characters in users and passwords are percent-encoded. A user without a password has
    /// an empty password. Leaving the password out does not log in as the user `default`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let config = SessionConfig::new()
    ///     .store("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/sessions");
    /// ```
    #[doc(alias = "url")]
    #[doc(alias = "redis")]
    #[doc(alias = "valkey")]
    #[doc(alias = "backend")]
    pub fn store(self, url: impl Into<String>) -> Self {
        Self { store: Some(url.into().into()), ..self }
    }

    /// Sets the prefix of the store's keys. A session is stored under `PREFIX:sessions:…`. Default:
    /// `app`.
    ///
    /// Applications with different prefixes do not see each other's sessions. The prefix must not
    /// be empty or contain braces, white space or control characters. Braces would change a key's
    /// cluster slot. Colons are allowed, as in `shop:test`.
    #[doc(alias = "namespace")]
    #[doc(alias = "key")]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: Some(prefix.into()), ..self }
    }

    /// Sets the lifetime of one class of sessions, and replaces the earlier setting of that class.
    ///
    /// For the defaults, see [`Lifetime`]. New sessions have the class `normal`.
    /// [`renew`](crate::Session::renew) moves a session to another class.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use session_runtime::{Lifetime, SessionConfig};
    ///
    /// const HOUR: Duration = Duration::from_secs(3600);
    /// let lifetime = Lifetime::normal().idle(HOUR / 2).max(12 * HOUR);
    /// let config = SessionConfig::new().lifetime(lifetime);
    /// ```
    #[doc(alias = "ttl")]
    #[doc(alias = "max_age")]
    #[doc(alias = "expiry")]
    #[doc(alias = "idle_timeout")]
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetimes.set(lifetime);
        self
    }

    /// Sets the name of the session cookie.
    ///
    /// The default is `__Host-session-id` if the other attributes allow that prefix (`Secure`, path
    /// `/`, no domain). Otherwise, the default is `session-id`.
    ///
    /// Browsers accept a `__Host-` cookie only from the exact host. A neighbouring subdomain cannot
    /// plant such a cookie (RFC 6265bis, section 4.1.3). A name consists of letters, digits and any
    /// of ``!#$%&'*+-.^_`|~``.
    #[doc(alias = "cookie_id")]
    #[doc(alias = "session_key")]
    pub fn cookie_name(self, name: impl Into<String>) -> Self {
        Self { cookie_name: Some(name.into()), ..self }
    }

    /// Sets the `Secure` attribute: the browser sends the cookie over HTTPS only. Default: `true`.
    ///
    /// Switch this off only for development over plain HTTP. Cookies are signed either way.
    #[doc(alias = "https")]
    pub fn cookie_secure(self, secure: bool) -> Self {
        Self { cookie_secure: secure, ..self }
    }

    /// Sets the `HttpOnly` attribute: scripts in the page cannot read the cookie. Default: `true`.
    ///
    /// See "Cookies" in the OWASP Session Management Cheat Sheet.
    #[doc(alias = "httponly")]
    pub fn cookie_http_only(self, http_only: bool) -> Self {
        Self { cookie_http_only: http_only, ..self }
    }

    /// Sets the `SameSite` attribute, which limits cookies in requests from other sites. Default:
    /// [`SameSite::Lax`].
    #[doc(alias = "samesite")]
    pub fn cookie_same_site(self, same_site: SameSite) -> Self {
        Self { cookie_same_site: same_site, ..self }
    }

    /// Sets the `Path` attribute: the browser sends the cookie to this path and to paths below.
    /// Default: `/`.
    ///
    /// The path must begin with `/`. A path does not protect against other applications on the same
    /// host (RFC 6265, section 8.5).
    ///
    /// After a change, browsers keep the cookie of the old path until it expires, or until the
    /// browser is closed. Requests do not contain the path of a cookie, so no response can remove
    /// the old cookie. The old cookie does no harm. A [logout](crate::Session::destroy) ends its
    /// session too.
    pub fn cookie_path(self, path: impl Into<String>) -> Self {
        Self { cookie_path: path.into(), ..self }
    }

    /// Sets the `Domain` attribute: the browser sends the cookie to this host and all its
    /// subdomains. Default: none.
    ///
    /// Without a domain, the browser sends the cookie only to the exact host that set it, which is
    /// safer. Write an ASCII host name, such as `example.com` or `xn--bcher-kva.example`. A leading
    /// dot is ignored.
    ///
    /// A logout also removes a cookie that the exact host set before a domain was configured. A
    /// cookie of another domain stays, as with a former [path](Self::cookie_path).
    #[doc(alias = "subdomain")]
    pub fn cookie_domain(self, domain: impl Into<String>) -> Self {
        Self { cookie_domain: Some(domain.into()), ..self }
    }

    /// Sets the `Partitioned` attribute (CHIPS): in a frame, the browser keeps a separate cookie
    /// for each embedding site. Default: `false`.
    #[doc(alias = "chips")]
    #[doc(alias = "iframe")]
    pub fn cookie_partitioned(self, partitioned: bool) -> Self {
        Self { cookie_partitioned: partitioned, ..self }
    }

    /// Sets the other origins whose pages may send requests that change something, past the
    /// same-origin check. Default: none.
    ///
    /// The setting has no effect without the check, which [`SessionLayer::same_origin`] or
    /// [`SessionHandle::check_same_origin`] carries out. The application's own origin is always
    /// accepted. A page of an origin in the list can act for your users, like a page of your own.
    /// Name only origins that you control, or have to trust, such as a login service.
    ///
    /// An origin is `http://` or `https://`, an ASCII host name, and a port if it is not the
    /// default. Write an international name as `xn--…`. A path, a `*` and `null` are errors. The
    /// case of letters does not matter. Name each subdomain, because each is an origin.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let config = SessionConfig::new()
    ///     .trusted_origins(["https://login.example.com", "https://example.net:8443"]);
    /// ```
    ///
    /// [`SessionHandle::check_same_origin`]: crate::SessionHandle::check_same_origin
    #[cfg_attr(
        feature = "tower",
        doc = "\n\n[`SessionLayer::same_origin`]: crate::adapter::tower::SessionLayer::same_origin\n"
    )]
    #[cfg_attr(not(feature = "tower"), doc = "\n\n[`SessionLayer::same_origin`]: crate#features\n")]
    #[doc(alias = "csrf")]
    #[doc(alias = "allowed_origins")]
    pub fn trusted_origins(self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { trusted_origins: origins.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets the formats of the cookie's value. The first format is written, and all formats are
    /// read. Default: [`CookieFormat::Native`] alone.
    ///
    /// A cookie in another format than the first, or signed by an older secret, is re-issued when
    /// its session is found live. If another cookie of the request is current, nothing is
    /// re-issued.
    ///
    /// With a format of the Python package `redis_session` in the list, two defaults change to
    /// those of the package. The [`prefix`](Self::prefix) is `redis`, and the
    /// [`cookie_name`](Self::cookie_name) is `session-id`. [`guide::redis_session`] explains which
    /// list to use when.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::SessionConfig;
    /// use session_runtime::redis_session::{CookieFormat, TornadoCookie};
    ///
    /// let key = "the application's cookie_secret, whole";
    /// let python = CookieFormat::Tornado(TornadoCookie::new(key));
    /// let config = SessionConfig::new().cookie_formats([python, CookieFormat::Native]);
    /// ```
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[`guide::redis_session`]: crate::guide::redis_session\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[`guide::redis_session`]: crate#features\n")]
    #[cfg(feature = "redis-session-compat")]
    pub fn cookie_formats(self, formats: impl IntoIterator<Item = CookieFormat>) -> Self {
        Self { cookie_formats: formats.into_iter().collect(), ..self }
    }

    /// Sets the transport of sessions: cookies for browsers, bearer tokens for other clients, or
    /// both. Default: [`Transport::Cookie`].
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::{SessionConfig, Transport};
    ///
    /// // Browsers and a mobile application on the same routes.
    /// let config = SessionConfig::new().transport(Transport::CookieOrBearer);
    /// ```
    #[doc(alias = "bearer")]
    #[doc(alias = "authorization")]
    pub fn transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// Sets the request header with the bearer token, for transports with tokens. Default:
    /// `Authorization`, with the scheme `Bearer`.
    ///
    /// Any other header contains the token alone. Choose one if another part of the application
    /// uses `Authorization: Bearer …`, such as an OAuth resource server. The name contains `token`,
    /// `session`, `auth` or `api-key`. Other headers have another meaning, and other sites can send
    /// some of them without CORS.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::{SessionConfig, Transport};
    ///
    /// let config =
    ///     SessionConfig::new().transport(Transport::Bearer).token_header("X-Session-Token");
    /// ```
    #[doc(alias = "authorization")]
    pub fn token_header(self, name: impl Into<String>) -> Self {
        Self { token_header: Some(name.into()), ..self }
    }

    /// Sets the response header with a new bearer token. Default: `Session-Token`.
    ///
    /// The name contains a word as for [`token_header`](Self::token_header). The header comes with
    /// the first token of a session and with each replacement: after a new
    /// id, or after a change of the secret. The client keeps the token for further requests. An
    /// empty header says that the session is over.
    pub fn token_response_header(self, name: impl Into<String>) -> Self {
        Self { token_response_header: Some(name.into()), ..self }
    }

    /// Accepts the value of a session cookie as a bearer token, and a bearer token as the value of
    /// the cookie. Default: `false`.
    ///
    /// By default, a value is signed for a single transport. So a stolen cookie is no token, and a
    /// token in a planted cookie signs no browser in. With this setting, a value of the other
    /// transport is accepted and replaced, if its session is live.
    ///
    /// Use this while clients move from cookies to tokens, or if a server passes the cookie of a
    /// browser on as a token.
    pub fn interchangeable_transports(self, interchangeable: bool) -> Self {
        Self { interchangeable_transports: interchangeable, ..self }
    }

    /// Considers no session of any application too old.
    #[cfg(feature = "cli")]
    pub(crate) fn with_longest_lifetimes(mut self) -> Self {
        self.lifetimes.prolong();
        self
    }

    /// Returns whether a secret is given.
    #[cfg(feature = "cli")]
    pub(crate) fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Sets the secret that signs session cookies, or several secrets, separated by commas. The
    /// first secret signs, and all secrets verify.
    ///
    /// To replace a secret, put the new secret before the old one. Remove the old secret when the
    /// sessions of its time have ended.
    ///
    /// Each secret has at least 32 bytes. Write text as is, or bytes after `base64:` or `hex:`.
    /// Base64 may use either alphabet, with or without padding. White space around a secret is
    /// ignored. `openssl rand -base64 32` makes a good secret.
    ///
    /// Placeholders (`changeme…`, `secret…`), repetitions and sequences are errors. So is a line
    /// break within a secret, because `openssl` breaks long lines.
    ///
    /// Default: none. Only the store `memory:` starts without a secret, and uses a random secret
    /// until the process ends.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let new = "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=";
    /// let old = "hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625";
    /// let config = SessionConfig::new().secret(format!("{new},{old}"));
    /// ```
    #[doc(alias = "key")]
    #[doc(alias = "secret_key")]
    pub fn secret(self, secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into().into()), ..self }
    }

    /// Sets the key that encrypts fields before they reach the store, or several keys, separated by
    /// commas. The first key encrypts, and all keys decrypt. Default: none.
    ///
    /// Without this setting, the keys of fields are derived from the [secrets](Self::secret). Set
    /// keys to replace them apart from the secrets, or to keep them from machines that only verify
    /// cookies.
    ///
    /// A key has the same forms as a secret, and the same text gives the same key in either
    /// setting. HKDF-SHA-256 ([RFC 5869]) derives the keys of fields with another label than the
    /// keys of cookies. So neither reveals the other.
    ///
    /// The rules for a [`secret`](Self::secret) apply: at least 32 bytes, and no placeholder. The
    /// same key twice is an error.
    ///
    /// To replace a key, change the list in steps, and finish each step on all machines:
    ///
    /// | step | keys | effect |
    /// | --- | --- | --- |
    /// | 1 | `OLD,NEW` | all machines can decrypt with the new key |
    /// | 2 | `NEW,OLD` | the new key encrypts |
    /// | 3 | `NEW` | fields under the old key cannot be read |
    ///
    /// A field stays under its key until the field is written again.
    /// [`Sessions::reencrypt`](crate::Sessions::reencrypt) encrypts all values again before the last
    /// step. Otherwise wait until all sessions of the old key's time have ended, for the longest
    /// absolute lifetime. To move from the default to own keys, take the same steps with the former
    /// secret as the old key.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let secret = "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=";
    /// let key = "hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625";
    /// // The second key decrypts fields from before there were own keys.
    /// let config = SessionConfig::new().secret(secret).encryption_keys(format!("{key},{secret}"));
    /// ```
    ///
    /// [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869
    #[cfg(feature = "encryption")]
    #[doc(alias = "key")]
    #[doc(alias = "encrypt")]
    pub fn encryption_keys(self, keys: impl Into<String>) -> Self {
        Self { encryption_keys: Some(keys.into().into()), ..self }
    }

    /// Sets the deadline of one round trip to the store: 10 milliseconds to 1 hour. Default: 1
    /// second.
    ///
    /// After the deadline, the operation fails with
    /// [`Error::is_unavailable`](crate::Error::is_unavailable). The deadline also limits how long
    /// [`Field::update`](crate::Field::update) retries while other requests change the field.
    #[doc(alias = "deadline")]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Starts even if the store cannot be reached, and connects in the background. Default:
    /// `false`, which makes an unreachable store an error at start.
    ///
    /// Until the store is connected, every operation fails with
    /// [`Error::is_unavailable`](crate::Error::is_unavailable). The checks of the start (see
    /// [`Sessions::check`](crate::Sessions::check)) run once the store is connected, and their
    /// results are logged.
    pub fn connect_lazily(self, lazily: bool) -> Self {
        Self { connect_lazily: lazily, ..self }
    }

    /// Makes reads refresh the expiry only when less than this share of the idle timeout is left:
    /// 0.01 to 0.99. Default: none, or 0.9 with a [near cache](Self::near_cache).
    ///
    /// By default, the first read of every request refreshes the expiry. Writes always refresh.
    ///
    /// This setting spares the server a write for most requests that only read. The price is an
    /// inexact idle timeout. With 0.75, a session with an idle timeout of 24 hours expires 18 to 24
    /// hours after its last use. With 0.01, a session that is read every quarter of an hour may end
    /// while in use.
    ///
    /// A refresh also empties the near caches of all processes of what they keep of the session. So
    /// set a share in every process of the application before you switch a near cache on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// let config = SessionConfig::new().refresh_below(0.75);
    /// ```
    pub fn refresh_below(self, share: f64) -> Self {
        Self { refresh_below: Some(share), ..self }
    }

    /// Sets how long after the end of its session a request may arrive and still count as under
    /// way: zero to one minute. Default: 5 seconds.
    ///
    /// Writes of a request that was under way fail with [`Error::is_gone`](crate::Error::is_gone),
    /// so that the response does not replace the cookie of the next session. A later request has no
    /// session, and its first write creates a new session.
    ///
    /// The grace is for responses that are still on their way: until the new cookie arrives, the
    /// browser sends the old cookie. [The guide] describes the case that a short grace leaves open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// use std::time::Duration;
    ///
    /// // For clients on slow networks.
    /// let config = SessionConfig::new().end_grace(Duration::from_secs(15));
    /// ```
    #[cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::concurrency\n")]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "grace_period")]
    pub fn end_grace(self, grace: Duration) -> Self {
        Self { end_grace: grace, ..self }
    }

    /// Sets the time after which [`Session::ended`](struct@crate::Session#method.ended) asks the
    /// store even if the store has told of no change: 1 second to 1 hour. Default: 60 seconds.
    ///
    /// Redis 7 or later and Valkey tell of changes at once. There, this setting only matters if the
    /// messages can be lost, such as by a proxy between the program and the server.
    ///
    /// Custom stores do not tell of changes, nor do servers that refuse `CLIENT TRACKING`. There,
    /// this is the time until a live connection notices the end of its session.
    ///
    /// Each process asks once for each session with live connections, however many there are. A
    /// short time is a load on the store. At the end of a session, each connection asks for the
    /// reason, with two commands.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionConfig;
    /// use std::time::Duration;
    ///
    /// // A store that does not tell of changes. Connections must notice a logout soon.
    /// let config = SessionConfig::new().end_check_interval(Duration::from_secs(10));
    /// ```
    #[doc(alias = "poll_interval")]
    pub fn end_check_interval(self, interval: Duration) -> Self {
        Self { end_check_interval: interval, ..self }
    }

    /// Keeps values of fields with `#[session(cached)]` in this process, for reads without a round
    /// trip. Default: nothing is kept.
    ///
    /// This is for sessions on Redis. Other stores keep nothing. With a near cache, the default of
    /// [`refresh_below`](Self::refresh_below) is 0.9. [The guide] says which fields to mark, and
    /// how old a value can be.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use session_runtime::{NearCache, SessionConfig};
    ///
    /// let cache = NearCache::new().max_bytes(32 << 20).max_staleness(Duration::from_millis(500));
    /// let config = SessionConfig::new().near_cache(cache);
    /// ```
    #[cfg_attr(feature = "derive", doc = "\n\n[The guide]: crate::guide::near_cache\n")]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[The guide]: crate#features\n")]
    #[doc(alias = "client_side_caching")]
    pub fn near_cache(self, cache: NearCache) -> Self {
        Self { near_cache: Some(cache), ..self }
    }

    /// Sets the maximum size of one stored value, in bytes: 1 to 512 MiB. Default: 1 MiB.
    ///
    /// Setting a larger value fails with [`Error::is_too_large`](crate::Error::is_too_large). 512
    /// MiB is the limit of Redis.
    pub fn max_value_size(self, bytes: usize) -> Self {
        Self { max_value_size: bytes, ..self }
    }

    /// Sets the maximum size of all values of one write together, in bytes. Default: 4 MiB.
    ///
    /// The range is [`max_value_size`](Self::max_value_size) to 512 MiB.
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
            trusted_origins: Vec::new(),
            #[cfg(feature = "redis-session-compat")]
            cookie_formats: vec![CookieFormat::Native],
            transport: Transport::Cookie,
            token_header: None,
            token_response_header: None,
            interchangeable_transports: false,
            secret: None,
            encryption_keys: Default::default(),
            timeout: Duration::from_secs(1),
            connect_lazily: false,
            refresh_below: None,
            end_grace: Duration::from_secs(5),
            end_check_interval: Duration::from_secs(60),
            near_cache: None,
            max_value_size: 1024 * 1024,
            max_batch_size: 4 * 1024 * 1024,
            by_options: Vec::new(),
        }
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}
