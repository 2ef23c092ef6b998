//! The formats of the package's cookies, as one.

use std::time::SystemTime;

use super::flask::FlaskSigner;
use super::id::PythonId;
use super::tornado::TornadoSigner;
use crate::config::CookieFormat;
use crate::error::Error;
use crate::id::SessionId;

/// A format of the package's cookies, for one cookie.
#[derive(Debug)]
pub(crate) enum PythonFormat {
    Tornado(TornadoSigner),
    Flask(FlaskSigner),
    UnsignedForgeableIds,
}

impl PythonFormat {
    /// `None`: the format is not of the package.
    pub(crate) fn new(format: &CookieFormat, cookie_name: &str) -> Result<Option<Self>, Error> {
        Ok(Some(match format {
            CookieFormat::Native => return Ok(None),
            CookieFormat::Tornado(cookie) => Self::Tornado(TornadoSigner::new(cookie_name, cookie)?),
            CookieFormat::Flask(cookie) => Self::Flask(FlaskSigner::new(cookie_name, cookie)?),
            CookieFormat::UnsignedForgeableIds => Self::UnsignedForgeableIds,
        }))
    }

    /// The cookie's value for an id.
    pub(crate) fn sign(&self, id: &SessionId) -> String {
        match self {
            Self::Tornado(signer) => signer.sign(id),
            Self::Flask(signer) => signer.sign(id),
            // The configuration refuses it as the format that is written.
            Self::UnsignedForgeableIds => String::new(),
        }
    }

    /// The id in a cookie's value, if it is right.
    pub(crate) fn verify(&self, value: &[u8], now: SystemTime) -> Option<SessionId> {
        match self {
            Self::Tornado(signer) => signer.verify(value, now),
            Self::Flask(signer) => signer.verify(value),
            Self::UnsignedForgeableIds => PythonId::read(value, now).map(SessionId::of_python),
        }
    }
}
