//! The configuration from options of the command line.

use std::ffi::OsString;
use std::fmt;

use super::SessionConfig;
use super::misspelt::warn_of_misspelt_variables;
use crate::error::Error;
use crate::error::Setting;

/// The settings as options of the command line, to flatten into your parser of clap 4.
///
/// | option | takes | in place of |
/// | --- | --- | --- |
/// | `--session-redis` | a URL | `SESSION_REDIS` |
/// | `--session-redis-prefix` | a text | `SESSION_REDIS_PREFIX` |
/// | `--session-expire` | whole seconds | `SESSION_EXPIRE` |
/// | `--session-cookie-id` | a text | `SESSION_COOKIE_ID` |
/// | `--session-cookie-secure`, `--session-cookie-secure=false` | nothing (yes), or yes or no after `=` | `SESSION_COOKIE_SECURE` |
/// | `--session-cookie-domain` | a host name | `SESSION_COOKIE_DOMAIN` |
/// | `--session-cookie-path` | a path | `SESSION_COOKIE_PATH` |
/// | `--session-cookie-http-only`, `--session-cookie-http-only=false` | nothing (yes), or yes or no after `=` | `SESSION_COOKIE_HTTP_ONLY` |
/// | `--session-trusted-origins` | origins, separated by commas | `SESSION_TRUSTED_ORIGINS` |
/// | `--session-end-check-interval` | whole seconds | `SESSION_END_CHECK_INTERVAL` |
/// | `--session-near-cache` | whole bytes | `SESSION_NEAR_CACHE` |
/// | `--session-near-cache-max-staleness-ms` | whole milliseconds | `SESSION_NEAR_CACHE_MAX_STALENESS_MS` |
///
/// Each option has the meaning of its variable, see [`SessionConfig::from_env`]. An option
/// overrides the variable, and the variable overrides the configuration that you pass to
/// [`apply_to`](Self::apply_to). Empty options are ignored.
///
/// The names are the Tornado options of the Python package `redis_session`, with two differences.
/// `--session-cookie-secure=false` leaves out the attribute `Secure` and **never switches signing
/// off**. `--session-trusted-origins`, `--session-end-check-interval` and the options of the near
/// cache are not in the package.
///
/// The help shows the defaults of a configuration without Python cookies. Python cookies change the
/// default prefix and cookie name.
///
/// Secrets and encryption keys have no option, because other users of the machine can see command
/// lines. For the same reason, put a URL with a password into `SESSION_REDIS` or a file. `Debug`
/// hides the URL.
///
/// # Examples
///
/// ```
/// use clap::Parser;
/// use session_runtime::SessionArgs;
///
/// #[derive(Parser)]
/// struct Args {
///     #[command(flatten)]
///     session: SessionArgs,
/// }
///
/// let options = ["program", "--session-redis=memory:", "--session-expire=1800"];
/// let args = Args::parse_from(options);
/// let config = args.session.config()?;
/// # Ok::<(), session_runtime::Error>(())
/// ```
#[doc(alias = "cli")]
#[doc(alias = "command_line")]
#[derive(Clone, Default, clap::Args)]
#[command(about = None, long_about = None)]
pub struct SessionArgs {
    // The name of a field is the name of the variable, and clap derives the option from the field.
    // The doc comment is the help of the option.
    /// URL of the session store. Pass a URL with a password in the environment, hidden from other
    /// users. Default: redis://127.0.0.1:6379 [env: SESSION_REDIS]
    #[arg(long, value_name = "URL")]
    session_redis: Option<OsString>,

    /// Prefix of the session store's keys. Default: app [env: SESSION_REDIS_PREFIX]
    #[arg(long, value_name = "TEXT")]
    session_redis_prefix: Option<OsString>,

    /// Idle timeout of sessions, in seconds. Default: 86400 [env: SESSION_EXPIRE]
    #[arg(long, value_name = "SECONDS")]
    session_expire: Option<OsString>,

    /// Name of the session cookie. Default: __Host-session-id, or session-id if the attributes rule
    /// the prefix out [env: SESSION_COOKIE_ID]
    #[arg(long, value_name = "NAME")]
    session_cookie_id: Option<OsString>,

    /// Send the session cookie over HTTPS only. The cookie is signed in any case. Default: true
    /// [env: SESSION_COOKIE_SECURE]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    session_cookie_secure: Option<OsString>,

    /// Send the session cookie to this host and its subdomains. Default: none, only the exact host
    /// that set the cookie [env: SESSION_COOKIE_DOMAIN]
    #[arg(long, value_name = "HOST")]
    session_cookie_domain: Option<OsString>,

    /// Send the session cookie to this path and paths below. Default: / [env: SESSION_COOKIE_PATH]
    #[arg(long, value_name = "PATH")]
    session_cookie_path: Option<OsString>,

    /// Hide the session cookie from scripts in the page. Default: true
    /// [env: SESSION_COOKIE_HTTP_ONLY]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    session_cookie_http_only: Option<OsString>,

    /// Other origins whose pages may change something, separated by commas. Default: none
    /// [env: SESSION_TRUSTED_ORIGINS]
    #[arg(long, value_name = "ORIGINS")]
    session_trusted_origins: Option<OsString>,

    /// Time after which a live connection asks whether its session has ended, if the store has not
    /// told of a change, in seconds. Default: 60 [env: SESSION_END_CHECK_INTERVAL]
    #[arg(long, value_name = "SECONDS")]
    session_end_check_interval: Option<OsString>,

    /// Size of the near cache, which keeps values of fields with `cached` in this process, in
    /// bytes. With 0, there is no near cache. Default: 0 [env: SESSION_NEAR_CACHE]
    #[arg(long, value_name = "BYTES")]
    session_near_cache: Option<OsString>,

    /// Time within which the near cache notices a change by another process, in milliseconds.
    /// Default: 1000 [env: SESSION_NEAR_CACHE_MAX_STALENESS_MS]
    #[arg(long, value_name = "MILLISECONDS")]
    session_near_cache_max_staleness_ms: Option<OsString>,
}

impl SessionArgs {
    /// Creates a configuration from the defaults, the environment variables and the options.
    ///
    /// # Errors
    ///
    /// The same as [`apply_to`](Self::apply_to).
    pub fn config(&self) -> Result<SessionConfig, Error> {
        self.apply_to(SessionConfig::new())
    }

    /// Overrides a configuration with environment variables, as
    /// [`SessionConfig::overridden_by_env`] does, and these with options.
    ///
    /// Settings without a variable or an option stay. In this way, both can override a
    /// configuration file.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a value cannot be read. The message names the option or variable and
    /// the accepted values, and never quotes the value. A variable is not read if its option is
    /// given.
    ///
    /// # Examples
    ///
    /// ```
    /// use clap::Parser;
    /// use session_runtime::{SessionArgs, SessionConfig};
    ///
    /// #[derive(Parser)]
    /// struct Args {
    ///     #[command(flatten)]
    ///     session: SessionArgs,
    /// }
    ///
    /// let args = Args::parse_from(["program"]);
    /// let file = r#"{ "store": "memory:", "cookie_name": "sid" }"#;
    /// let config: SessionConfig = serde_json::from_str(file)?;
    /// let config = args.session.apply_to(config)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_to(&self, config: SessionConfig) -> Result<SessionConfig, Error> {
        warn_of_misspelt_variables();
        self.apply_over(config, |variable| std::env::var_os(variable))
    }

    /// Does the same as [`apply_to`](Self::apply_to), with any source of variables.
    pub(super) fn apply_over(
        &self,
        config: SessionConfig,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<SessionConfig, Error> {
        config.overridden_by(|setting| self.option(setting).cloned(), variable)
    }

    fn option(&self, setting: Setting) -> Option<&OsString> {
        let option = match setting {
            Setting::STORE => &self.session_redis,
            Setting::PREFIX => &self.session_redis_prefix,
            Setting::IDLE => &self.session_expire,
            Setting::COOKIE_NAME => &self.session_cookie_id,
            Setting::COOKIE_SECURE => &self.session_cookie_secure,
            Setting::COOKIE_DOMAIN => &self.session_cookie_domain,
            Setting::COOKIE_PATH => &self.session_cookie_path,
            Setting::COOKIE_HTTP_ONLY => &self.session_cookie_http_only,
            Setting::TRUSTED_ORIGINS => &self.session_trusted_origins,
            Setting::END_CHECK_INTERVAL => &self.session_end_check_interval,
            Setting::NEAR_CACHE => &self.session_near_cache,
            Setting::NEAR_CACHE_MAX_STALENESS => &self.session_near_cache_max_staleness_ms,
            _ => return None,
        };
        option.as_ref()
    }
}

/// Hides the store's URL, which may contain a password.
impl fmt::Debug for SessionArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionArgs")
            .field("session_redis", &self.session_redis.as_ref().map(|_| "…"))
            .field("session_redis_prefix", &self.session_redis_prefix)
            .field("session_expire", &self.session_expire)
            .field("session_cookie_id", &self.session_cookie_id)
            .field("session_cookie_secure", &self.session_cookie_secure)
            .field("session_cookie_domain", &self.session_cookie_domain)
            .field("session_cookie_path", &self.session_cookie_path)
            .field("session_cookie_http_only", &self.session_cookie_http_only)
            .field("session_trusted_origins", &self.session_trusted_origins)
            .field("session_end_check_interval", &self.session_end_check_interval)
            .field("session_near_cache", &self.session_near_cache)
            .field("session_near_cache_max_staleness_ms", &self.session_near_cache_max_staleness_ms)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use clap::{CommandFactory as _, Parser};

    use super::*;
    #[cfg(feature = "redis")]
    use crate::Sessions;
    use crate::config::{Lifetime, NearCache, SameSite};

    // The program without a description in its help.
    #[derive(Debug, Parser)]
    #[command(name = "program")]
    struct Program {
        #[command(flatten)]
        session: SessionArgs,
    }

    fn parse(options: &[&str]) -> SessionArgs {
        Program::try_parse_from([&["program"], options].concat()).unwrap().session
    }

    fn apply(
        options: &[&str],
        variables: &[(&str, &str)],
        base: SessionConfig,
    ) -> Result<SessionConfig, Error> {
        let variable = |name: &str| variables.iter().find(|(variable, _)| *variable == name);
        parse(options).apply_over(base, |name| variable(name).map(|(_, value)| value.into()))
    }

    /// Asserts that two configurations are equal, apart from the sources of their values, which
    /// matter only for messages.
    #[track_caller]
    fn same(one: SessionConfig, other: SessionConfig) {
        let shown = |config| format!("{:?}", SessionConfig { by_options: Vec::new(), ..config });
        assert_eq!(shown(one), shown(other));
    }

    #[test]
    fn every_option_is_read() {
        let new = SessionConfig::new;
        let idle = Lifetime::normal().idle(Duration::from_secs(60));
        for (options, config) in [
            (&["--session-redis", "memory:"][..], new().store("memory:")),
            (&["--session-redis=memory:"], new().store("memory:")),
            (&["--session-redis-prefix=shop"], new().prefix("shop")),
            (&["--session-expire=60"], new().lifetime(idle)),
            (&["--session-cookie-id=sid"], new().cookie_name("sid")),
            (&["--session-cookie-secure=false"], new().cookie_secure(false)),
            (&["--session-cookie-domain=example.com"], new().cookie_domain("example.com")),
            (&["--session-cookie-path=/app"], new().cookie_path("/app")),
            (&["--session-cookie-http-only=False"], new().cookie_http_only(false)),
            (
                &["--session-trusted-origins=https://a.example,http://b.example:81"],
                new().trusted_origins(["https://a.example", "http://b.example:81"]),
            ),
            (
                &["--session-end-check-interval=10"],
                new().end_check_interval(Duration::from_secs(10)),
            ),
            (
                &["--session-near-cache=1048576"],
                new().near_cache(NearCache::new().max_bytes(1_048_576)),
            ),
            (&["--session-near-cache-max-staleness-ms=50"], new()),
            (
                &["--session-near-cache-max-staleness-ms=50", "--session-near-cache=1048576"],
                new().near_cache(
                    NearCache::new().max_bytes(1_048_576).max_staleness(Duration::from_millis(50)),
                ),
            ),
            (&[], new()),
        ] {
            same(apply(options, &[], new()).unwrap(), config);
        }
    }

    #[test]
    fn a_switch_without_a_value_is_on() {
        let off = || SessionConfig::new().cookie_secure(false).cookie_http_only(false);
        same(apply(&["--session-cookie-secure"], &[], off()).unwrap(), off().cookie_secure(true));
        same(
            apply(&["--session-cookie-http-only"], &[], off()).unwrap(),
            off().cookie_http_only(true),
        );
        same(apply(&["--session-cookie-secure="], &[], off()).unwrap(), off());
        let separate = ["program", "--session-cookie-secure", "false"];
        assert!(
            Program::try_parse_from(separate).is_err(),
            "the next word belongs to the application"
        );
    }

    #[test]
    fn options_override_variables_and_variables_override_the_base() {
        let secs = Duration::from_secs;
        let base = || {
            let normal = Lifetime::normal().idle(secs(1)).max(secs(2)).persistent(true);
            let (store, secret) =
                ("memory:", "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=");
            SessionConfig::new()
                .store(store)
                .secret(secret)
                .prefix("base")
                .lifetime(normal)
                .cookie_name("base")
                .cookie_secure(false)
                .cookie_http_only(false)
                .cookie_same_site(SameSite::Strict)
                .cookie_path("/base")
                .cookie_domain("base.example")
                .timeout(secs(3))
                .end_check_interval(secs(5))
                .near_cache(NearCache::new().max_bytes(6 << 20).max_age(secs(7)))
                .max_value_size(4)
        };
        same(apply(&[], &[], base()).unwrap(), base());
        let variables = [
            ("SESSION_REDIS_PREFIX", "variable"),
            ("SESSION_COOKIE_ID", "variable"),
            ("SESSION_MAX_LIFETIME", "20"),
        ];
        let options =
            ["--session-cookie-id=option", "--session-cookie-path=/option", "--session-expire=10"];
        let normal = Lifetime::normal().idle(secs(10)).max(secs(20)).persistent(true);
        same(
            apply(&options, &variables, base()).unwrap(),
            base().prefix("variable").cookie_name("option").cookie_path("/option").lifetime(normal),
        );
        let variables =
            [("SESSION_NEAR_CACHE", "0"), ("SESSION_NEAR_CACHE_MAX_STALENESS_MS", "20")];
        let cache = NearCache::new().max_staleness(secs(1) / 50).max_age(secs(7));
        same(
            apply(&["--session-near-cache=67108864"], &variables, base()).unwrap(),
            base().near_cache(cache),
        );
    }

    #[test]
    fn empty_options_are_ignored() {
        let base = || SessionConfig::new().prefix("base").cookie_secure(false);
        let empty = ["--session-redis-prefix=", "--session-cookie-id", " "];
        same(apply(&empty, &[("SESSION_REDIS_PREFIX", "")], base()).unwrap(), base());
        same(
            apply(&empty, &[("SESSION_REDIS_PREFIX", "variable")], base()).unwrap(),
            base().prefix("variable"),
        );
    }

    #[test]
    fn an_error_names_the_source_of_a_value_but_not_the_value() {
        let memory = || SessionConfig::new().store("memory:");
        for (name, value, takes) in [
            ("session-redis", "HUNTER2", "must be `memory:`, or the URL"),
            ("session-redis", "memory:?HUNTER2", "invalid parameter after `memory:?`"),
            ("session-redis-prefix", "HUNTER2{", "must be a non-empty text without braces"),
            ("session-expire", "HUNTER2", "must be a whole number of seconds"),
            ("session-expire", "0", "must be 1 second to 3,650 days"),
            ("session-cookie-id", "HUNTER2=", "must consist of letters, digits"),
            ("session-cookie-id", "__Secure-HUNTER2", "starts with `__Secure-`"),
            ("session-cookie-secure", "HUNTER2", "must be `true` or `false`"),
            ("session-cookie-domain", "HUNTER2/", "must be an ASCII host name"),
            ("session-cookie-path", "HUNTER2", "must be an ASCII path"),
            ("session-cookie-http-only", "HUNTER2", "must be `true` or `false`"),
            ("session-end-check-interval", "HUNTER2", "must be a whole number of seconds"),
            ("session-end-check-interval", "0", "must be 1 second to 1 hour"),
            ("session-near-cache", "HUNTER2", "must be a whole number of bytes"),
            ("session-near-cache", "1", "must be 1 MiB to 1 TiB, or 0 for no near cache"),
            ("session-near-cache-max-staleness-ms", "HUNTER2", "a whole number of milliseconds"),
            ("session-near-cache-max-staleness-ms", "9", "must be 10 milliseconds to 1 minute"),
        ] {
            let (option, variable) =
                (format!("--{name}={value}"), name.to_ascii_uppercase().replace('-', "_"));
            // The prefix `__Secure-` needs the attribute.
            let base = || memory().cookie_secure(false).near_cache(NearCache::new());
            let from_option = apply(&[&option], &[(&variable, "memory:")], base());
            let from_variable = apply(&[], &[(&variable, value)], base());
            for (config, named) in
                [(from_option, format!("(--{name})")), (from_variable, format!("({variable})"))]
            {
                let error = config.and_then(SessionConfig::resolve).unwrap_err();
                let shown = format!("{error} {error:?}");
                assert!(
                    error.is_config() && shown.contains(&named) && shown.contains(takes),
                    "{shown}"
                );
                assert!(!shown.contains("HUNTER2"), "{shown}");
            }
        }
    }

    #[test]
    fn an_error_names_the_last_source_of_a_value() {
        let option = apply(&["--session-redis-prefix={"], &[], SessionConfig::new()).unwrap();
        let variable = |name: &str| (name == "SESSION_REDIS_PREFIX").then(|| "{".into());
        let error = option.overridden_by(|_| None, variable).unwrap().resolve().unwrap_err();
        assert!(error.to_string().contains("(SESSION_REDIS_PREFIX)"), "{error}");
    }

    #[cfg(feature = "redis")]
    #[tokio::test]
    async fn an_unavailable_store_error_names_the_source_of_the_url() {
        for (option, variable, named) in [
            (&["--session-redis=redis://127.0.0.1:1"][..], None, "(--session-redis)"),
            (&[], Some("redis://127.0.0.1:1"), "(SESSION_REDIS)"),
        ] {
            let variables: Vec<_> =
                variable.map(|url| ("SESSION_REDIS", url)).into_iter().collect();
            let base =
                SessionConfig::new().secret("base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=");
            let error = Sessions::new(apply(option, &variables, base).unwrap()).await.unwrap_err();
            assert!(error.is_unavailable() && error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn a_bad_variable_does_not_matter_under_an_option() {
        let config =
            apply(&["--session-expire=60"], &[("SESSION_EXPIRE", "soon")], SessionConfig::new());
        assert!(config.is_ok());
    }

    #[test]
    fn an_error_about_another_lifetime_names_no_option() {
        let base = SessionConfig::new()
            .store("memory:")
            .lifetime(Lifetime::remembered().idle(Duration::ZERO));
        let error = apply(&["--session-expire=60"], &[], base).unwrap().resolve().unwrap_err();
        assert!(error.to_string().starts_with("the setting `idle` must be"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn an_option_that_is_not_utf_8_is_an_error() {
        use std::os::unix::ffi::OsStringExt as _;

        let option = OsString::from_vec(b"--session-redis=\xff".to_vec());
        let args = Program::try_parse_from(["program".into(), option]).unwrap().session;
        let error = args.apply_over(SessionConfig::new(), |_| None).unwrap_err();
        assert!(error.to_string().ends_with("(--session-redis) must be UTF-8 text"), "{error}");
    }

    #[test]
    fn the_help_lists_these_options_and_no_other() {
        let help = Program::command().term_width(0).render_help().to_string();
        let listed: BTreeSet<&str> = help
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
            .map(|word| word.split(['[', '=']).next().unwrap())
            .collect();
        let options = [
            "--help",
            "--session-cookie-domain",
            "--session-cookie-http-only",
            "--session-cookie-id",
            "--session-cookie-path",
            "--session-cookie-secure",
            "--session-end-check-interval",
            "--session-expire",
            "--session-near-cache",
            "--session-near-cache-max-staleness-ms",
            "--session-redis",
            "--session-redis-prefix",
            "--session-trusted-origins",
        ];
        assert_eq!(listed, options.into(), "{help}");
        assert!(help.starts_with("Usage: "), "{help}");
        for option in &options[1..] {
            let variable = option[2..].to_ascii_uppercase().replace('-', "_");
            assert!(help.contains(&format!("[env: {variable}]")), "{help}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let args =
            parse(&["--session-redis=redis://user:HUNTER2@h", "--session-redis-prefix=shop"]);
        let shown = format!("{args:?}");
        assert!(!shown.contains("HUNTER2") && shown.contains("shop"), "{shown}");
    }
}
