//! The signed formats of the package's cookies, as a single type.

use std::time::SystemTime;

use super::flask::FlaskSigner;
use super::tornado::TornadoSigner;
use crate::http::cookie_value::{Verified, Written};
use crate::id::SessionId;

/// A signed format of the package, for a cookie.
#[derive(Debug)]
pub(crate) enum PythonFormat {
    Tornado(TornadoSigner),
    Flask(FlaskSigner),
}

impl PythonFormat {
    /// Returns the cookie's value for an id, or `None` if the value would be too old to be read.
    pub(crate) fn sign(&self, id: &SessionId, now: SystemTime) -> Option<Written> {
        match self {
            Self::Tornado(signer) => signer.sign(id, now),
            Self::Flask(signer) => Some(Written { value: signer.sign(id, now), lasts: None }),
        }
    }

    /// Returns the id in a cookie's value, if the signature is valid.
    pub(crate) fn verify(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        match self {
            Self::Tornado(signer) => signer.verify(value, now),
            Self::Flask(signer) => {
                signer.verify(value).map(|id| Verified { id, is_outdated: false })
            }
        }
    }
}
