//! The transport of sessions between the application and its clients.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::SessionConfig;
use super::cookie::{NOT_A_TOKEN, is_token};
use crate::error::{Error, Setting};

/// The headers that carry a session: cookies for browsers, bearer tokens for other clients.
///
/// A bearer token is the signed id of a session, like the value of the cookie. Clients without a
/// cookie jar send the token in a request header, such as `Authorization: Bearer …` ([RFC 6750
/// §2.1]). [The guide] has a whole program.
///
/// With `serde` and in the environment, write the name of the variant, in any case. Words may be
/// separated by hyphens or underscores.
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
///
/// # Examples
///
/// ```
/// use session_runtime::Transport;
///
/// assert_eq!("cookie-or-bearer".parse::<Transport>()?, Transport::CookieOrBearer);
/// assert_eq!(Transport::default().to_string(), "Cookie");
/// # Ok::<(), session_runtime::Error>(())
/// ```
#[cfg_attr(feature = "derive", doc = "\n\n[The guide]: crate::guide::bearer\n")]
#[cfg_attr(not(feature = "derive"), doc = "\n\n[The guide]: crate#features\n")]
#[doc(alias = "token")]
#[doc(alias = "authorization")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Transport {
    /// Cookies alone. Tokens are not read.
    #[default]
    Cookie,
    /// Bearer tokens alone. Cookies are neither read nor set.
    Bearer,
    /// Both. If a request has a token, its cookies are ignored.
    ///
    /// Sessions begin with a cookie, except behind a layer with `bearer`. A handler that calls
    /// [`Session::token`](struct@crate::Session#method.token) gives the client a token.
    CookieOrBearer,
}

impl FromStr for Transport {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::is_config`] if the text is not `Cookie`, `Bearer` or `CookieOrBearer`, in any case.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
            "cookie" => Ok(Self::Cookie),
            "bearer" => Ok(Self::Bearer),
            "cookieorbearer" => Ok(Self::CookieOrBearer),
            _ => Err(Setting::TRANSPORT.invalid("must be `Cookie`, `Bearer` or `CookieOrBearer`")),
        }
    }
}

impl TryFrom<String> for Transport {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cookie => "Cookie",
            Self::Bearer => "Bearer",
            Self::CookieOrBearer => "CookieOrBearer",
        })
    }
}

/// The transport and the headers of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransportSettings {
    pub(crate) transport: Transport,
    pub(crate) request_header: TokenHeader,
    /// The response header with a token to keep, in lower case.
    pub(crate) response_header: Box<str>,
    pub(crate) is_interchangeable: bool,
}

/// The request header with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenHeader {
    /// `Authorization`, with the scheme `Bearer`.
    Authorization,
    /// A header with the token alone, in lower case.
    Named(Box<str>),
}

impl TokenHeader {
    /// Returns the header's name in lower case.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Authorization => AUTHORIZATION,
            Self::Named(name) => name,
        }
    }
}

pub(crate) const AUTHORIZATION: &str = "authorization";
const SESSION_TOKEN: &str = "session-token";

/// Words in the names of headers for tokens. Other headers have a meaning for browsers, proxies and
/// caches, or a page of another site can have them sent without the application's consent ([Fetch
/// §2.2.2]).
///
/// [Fetch §2.2.2]: https://fetch.spec.whatwg.org/#cors-safelisted-request-header
const WORDS: [&str; 4] = ["token", "session", "auth", "api-key"];
/// Headers with such a word that have another meaning.
const RESERVED: [&str; 4] =
    ["authentication-info", "proxy-authenticate", "proxy-authorization", "www-authenticate"];

impl TransportSettings {
    pub(super) fn resolve(config: &SessionConfig) -> Result<Self, Error> {
        let request_header = match config.token_header.as_deref() {
            Some(name) => match header(name, Setting::TOKEN_HEADER)? {
                name if &*name == AUTHORIZATION => TokenHeader::Authorization,
                name => TokenHeader::Named(name),
            },
            None => TokenHeader::Authorization,
        };
        let response_header = match config.token_response_header.as_deref() {
            Some(name) => header(name, Setting::TOKEN_RESPONSE_HEADER)?,
            None => SESSION_TOKEN.into(),
        };
        Ok(Self {
            transport: config.transport,
            request_header,
            response_header,
            is_interchangeable: config.interchangeable_transports,
        })
    }
}

/// Returns the name of a header in lower case.
fn header(name: &str, setting: Setting) -> Result<Box<str>, Error> {
    if !is_token(name) {
        return Err(setting.invalid(NOT_A_TOKEN));
    }
    let name = name.to_ascii_lowercase().into_boxed_str();
    let is_for_tokens = WORDS.iter().any(|word| name.contains(word))
        && !RESERVED.contains(&&*name)
        && !name.starts_with("sec-");
    if !is_for_tokens {
        return Err(setting.invalid(
            "must contain `token`, `session`, `auth` or `api-key`, and have no other meaning",
        ));
    }
    Ok(name)
}
