//! The credentials of a client: cookies or a bearer token.

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use session_runtime::Transport;

use crate::jar::Jar;

/// The response header with a new bearer token.
const SESSION_TOKEN: &str = "session-token";

/// The credentials that a client keeps and sends, by one transport.
#[derive(Clone, Debug)]
pub(super) enum Wallet {
    /// The cookies of a browser.
    Cookies(Jar),
    /// The bearer token of a client without cookies, or an empty text.
    Token(String),
}

impl Wallet {
    pub(super) fn new(transport: Transport) -> Self {
        match transport {
            Transport::Cookie => Self::Cookies(Jar::default()),
            _ => Self::Token(String::new()),
        }
    }

    /// Returns the credentials as the client sends them. The text is empty without any.
    pub(super) fn credential(&self) -> String {
        match self {
            Self::Cookies(jar) => jar.header(),
            Self::Token(token) => token.clone(),
        }
    }

    /// Replaces all credentials with this one.
    pub(super) fn set(&mut self, credential: &str) {
        match self {
            Self::Cookies(jar) => jar.set(credential),
            Self::Token(token) => credential.clone_into(token),
        }
    }

    /// Keeps the credentials that a response issues.
    pub(super) fn keep(&mut self, headers: &HeaderMap) {
        match self {
            Self::Cookies(jar) => jar.keep(headers),
            Self::Token(token) => {
                if let Some(issued) = headers.get(SESSION_TOKEN) {
                    issued.to_str().unwrap().clone_into(token);
                }
            }
        }
    }

    /// Adds a credential to a request.
    pub(super) fn attach(&self, request: RequestBuilder, credential: &[u8]) -> RequestBuilder {
        let (name, value) = match self {
            Self::Cookies(_) => (COOKIE, credential.to_vec()),
            Self::Token(_) => (AUTHORIZATION, [b"Bearer ", credential].concat()),
        };
        request.header(name, HeaderValue::from_bytes(&value).unwrap())
    }

    /// Returns the response header that issues credentials, and the header of the other transport.
    pub(super) fn issuing_headers(&self) -> [&'static str; 2] {
        let headers = [SET_COOKIE.as_str(), SESSION_TOKEN];
        match self {
            Self::Cookies(_) => headers,
            Self::Token(_) => [headers[1], headers[0]],
        }
    }
}
