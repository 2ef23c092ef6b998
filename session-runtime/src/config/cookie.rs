//! The attributes of the session cookie.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::SessionConfig;
use super::web_origin::is_host_name;
use crate::error::Error;
use crate::error::Setting;

/// The `SameSite` attribute: which requests from other sites carry the session cookie ([RFC 6265bis
/// §5.6.7]).
///
/// With `serde` and in the environment, write the name of the variant, in any case.
///
/// [RFC 6265bis §5.6.7]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6.7
///
/// # Examples
///
/// ```
/// use session_runtime::SameSite;
///
/// assert_eq!("strict".parse::<SameSite>()?, SameSite::Strict);
/// assert_eq!(SameSite::default().to_string(), "Lax");
/// # Ok::<(), session_runtime::Error>(())
/// ```
#[doc(alias = "csrf")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum SameSite {
    /// No requests from other sites carry the cookie. Even a link from another site arrives without
    /// a session.
    Strict,
    /// The cookie comes along when the user follows a link, but not with forms, images or scripts
    /// of other sites.
    #[default]
    Lax,
    /// All requests from other sites carry the cookie. This requires `Secure`, and the application
    /// must protect itself against forged requests.
    None,
}

impl FromStr for SameSite {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::is_config`] if the text is not `Strict`, `Lax` or `None`, in any case.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "strict" => Ok(Self::Strict),
            "lax" => Ok(Self::Lax),
            "none" => Ok(Self::None),
            _ => Err(Setting::COOKIE_SAME_SITE.invalid("must be `Strict`, `Lax` or `None`")),
        }
    }
}

impl TryFrom<String> for SameSite {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl fmt::Display for SameSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        })
    }
}

/// A name and attributes that a browser accepts together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CookieSettings {
    pub(crate) name: Box<str>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
    pub(crate) path: Box<str>,
    /// The domain in lower case, without a leading dot.
    pub(crate) domain: Option<Box<str>>,
    pub(crate) partitioned: bool,
}

impl CookieSettings {
    pub(super) fn resolve(config: &SessionConfig) -> Result<Self, Error> {
        let mut cookie = Self {
            name: Box::default(),
            secure: config.cookie_secure,
            http_only: config.cookie_http_only,
            same_site: config.cookie_same_site,
            path: path(&config.cookie_path)?,
            domain: config.cookie_domain.as_deref().map(domain).transpose()?,
            partitioned: config.cookie_partitioned,
        };
        cookie.name = match &config.cookie_name {
            Some(name) => token(name)?,
            None if config.is_shared_with_python() => "session-id".into(),
            None if cookie.allows_host_prefix() => "__Host-session-id".into(),
            None => "session-id".into(),
        };
        cookie.check_prefix()?;
        cookie.check_secure()?;
        Ok(cookie)
    }

    fn allows_host_prefix(&self) -> bool {
        self.secure && &*self.path == "/" && self.domain.is_none()
    }

    /// Checks the prefix of the name. Browsers compare prefixes without regard to case (RFC
    /// 6265bis, section 5.4).
    fn check_prefix(&self) -> Result<(), Error> {
        let name = self.name.to_ascii_lowercase();
        if name.starts_with("__host-") && !self.allows_host_prefix() {
            return Err(Setting::COOKIE_NAME.invalid(
                "starts with `__Host-`, which browsers accept only with `cookie_secure`, without \
                 `cookie_domain` and with `/` as `cookie_path`: change these settings, or choose a \
                 name without the prefix",
            ));
        }
        if name.starts_with("__secure-") && !self.secure {
            return Err(Setting::COOKIE_NAME.invalid(
                "starts with `__Secure-`, which browsers accept only with `cookie_secure`: turn \
                 `cookie_secure` on, or choose a name without the prefix",
            ));
        }
        Ok(())
    }

    /// Checks the attributes that require `Secure`. Browsers ignore such cookies without `Secure`
    /// (RFC 6265bis, section 5.7, and CHIPS for `Partitioned`).
    fn check_secure(&self) -> Result<(), Error> {
        if self.same_site == SameSite::None && !self.secure {
            return Err(Setting::COOKIE_SAME_SITE.invalid(
                "is `None`, which browsers accept only with `cookie_secure`: turn `cookie_secure` \
                 on, or use `Lax`",
            ));
        }
        if self.partitioned && !self.secure {
            return Err(Setting::COOKIE_PARTITIONED.invalid(
                "is on, which browsers accept only with `cookie_secure`: turn `cookie_secure` on \
                 too",
            ));
        }
        Ok(())
    }
}

/// Checks a cookie name, which must be a token (RFC 6265, section 4.1.1).
fn token(name: &str) -> Result<Box<str>, Error> {
    if !is_token(name) {
        return Err(Setting::COOKIE_NAME.invalid(NOT_A_TOKEN));
    }
    Ok(name.into())
}

/// Returns whether the text is a token of HTTP (RFC 9110, section 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    !text.is_empty() && text.bytes().all(allowed)
}

pub(super) const NOT_A_TOKEN: &str = "must consist of letters, digits and any of !#$%&'*+-.^_`|~";

/// Checks a path. Browsers ignore a path that does not begin with `/` (RFC 6265, section 5.2.4).
fn path(path: &str) -> Result<Box<str>, Error> {
    let allowed = |c: u8| matches!(c, b' '..=b'~') && c != b';';
    if !path.starts_with('/') || path.len() > LONGEST_ATTRIBUTE || !path.bytes().all(allowed) {
        return Err(Setting::COOKIE_PATH.invalid(
            "must be an ASCII path that starts with `/`, without `;` and control characters",
        ));
    }
    Ok(path.into())
}

/// Checks and normalizes a domain. A leading dot and upper case mean nothing (RFC 6265, section
/// 5.2.3).
fn domain(domain: &str) -> Result<Box<str>, Error> {
    let name = domain.strip_prefix('.').unwrap_or(domain);
    if name.len() > LONGEST_ATTRIBUTE || !is_host_name(name) {
        return Err(Setting::COOKIE_DOMAIN.invalid(
            "must be an ASCII host name such as `example.com`, without scheme, port and path",
        ));
    }
    Ok(name.to_ascii_lowercase().into())
}

/// The longest attribute that browsers accept (RFC 6265bis, section 5.6).
const LONGEST_ATTRIBUTE: usize = 1024;
