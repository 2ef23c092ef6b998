//! The bearer tokens of an application.

use std::sync::Arc;

use super::cookie_value::Verified;
use super::signing::Keyring;
use crate::config::{Settings, TokenHeader, Transport};
use crate::error::Error;
use crate::id::SessionId;

/// The bearer tokens of an application, if the transport has any.
#[derive(Debug)]
pub(crate) struct Tokens {
    keyring: Keyring,
    request_header: TokenHeader,
    response_header: Arc<str>,
    /// Cookies are neither read nor set.
    replace_cookies: bool,
    is_interchangeable: bool,
}

impl Tokens {
    /// # Errors
    ///
    /// `is_config` if tokens need a secret and the settings have none.
    pub(crate) fn new(settings: &Settings) -> Result<Option<Self>, Error> {
        let transport = &settings.transport;
        if transport.transport == Transport::Cookie {
            return Ok(None);
        }
        Ok(Some(Self {
            keyring: Keyring::of_tokens(settings)?,
            request_header: transport.request_header.clone(),
            response_header: transport.response_header.as_ref().into(),
            replace_cookies: transport.transport == Transport::Bearer,
            is_interchangeable: transport.is_interchangeable,
        }))
    }

    /// Returns whether all requests come with tokens, and their cookies are ignored.
    pub(crate) fn replace_cookies(&self) -> bool {
        self.replace_cookies
    }

    /// Returns whether a value of the other transport is accepted.
    pub(crate) fn are_interchangeable(&self) -> bool {
        self.is_interchangeable
    }

    /// Returns the request header with the token, in lower case.
    pub(crate) fn request_header(&self) -> &TokenHeader {
        &self.request_header
    }

    /// Returns the response header with a new token, in lower case.
    pub(crate) fn response_header(&self) -> &Arc<str> {
        &self.response_header
    }

    pub(crate) fn write(&self, id: &SessionId) -> String {
        self.keyring.sign(id)
    }

    pub(crate) fn read(&self, value: &[u8]) -> Option<Verified> {
        self.keyring.verify(value)
    }
}
