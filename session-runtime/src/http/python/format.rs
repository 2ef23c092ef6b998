//! The signed formats of the package's cookies, as one.

use std::time::SystemTime;

use super::flask::FlaskSigner;
use super::tornado::TornadoSigner;
use crate::http::cookie_value::{Verified, Written};
use crate::id::SessionId;

/// A signed format of the package's cookies, for one cookie.
#[derive(Debug)]
pub(crate) enum PythonFormat {
    Tornado(TornadoSigner),
    Flask(FlaskSigner),
}

impl PythonFormat {
    /// The cookie's value for an id. `None`: it would be too old to be read.
    pub(crate) fn sign(&self, id: &SessionId, now: SystemTime) -> Option<Written> {
        match self {
            Self::Tornado(signer) => signer.sign(id, now),
            Self::Flask(signer) => Some(Written { value: signer.sign(id, now), lasts: None }),
        }
    }

    /// The id in a cookie's value, if it is right.
    pub(crate) fn verify(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        match self {
            Self::Tornado(signer) => signer.verify(value, now),
            Self::Flask(signer) => {
                signer.verify(value).map(|id| Verified { id, is_outdated: false })
            }
        }
    }
}
