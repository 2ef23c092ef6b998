//! Ids, and the cookie with an id. Both are as long as in session-runtime.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Failure;
use crate::server::SECRET;

/// 30 random bytes as 40 characters. A new id keeps the first 8 characters.
pub(super) struct Id(String);

pub(super) struct Signer(Hmac<Sha256>);

const TAG: usize = 8;

impl Id {
    pub(super) fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 30];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(super) fn draw_successor(&self) -> Result<Self, getrandom::Error> {
        let Self(mut successor) = Self::draw()?;
        successor.replace_range(..TAG, &self.0[..TAG]);
        Ok(Self(successor))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key of the session in Redis.
    pub(super) fn key(&self) -> String {
        let (tag, rest) = self.0.split_at(TAG);
        ["han:sessions:{", tag, "}", rest].concat()
    }
}

impl Signer {
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self(Hmac::new_from_slice(SECRET)?))
    }

    /// Returns the id in the session cookie, if the signature is valid.
    pub(super) fn verified(&self, headers: &HeaderMap) -> Option<Id> {
        let pairs =
            headers.get(COOKIE)?.to_str().ok()?.split(';').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs
            .map(|(name, value)| (name.trim(), value.trim()))
            .find(|(name, _)| *name == crate::server::COOKIE)?;
        let (id, mac) = value.split_once('.')?;
        let mut given = [0; 32];
        URL_SAFE_NO_PAD.decode_slice(mac, &mut given).ok()?;
        self.mac(id).verify_slice(&given).ok()?;
        Some(Id(id.to_owned()))
    }

    pub(super) fn set_cookie(&self, id: &Id) -> String {
        let mac = URL_SAFE_NO_PAD.encode(self.mac(&id.0).finalize().into_bytes());
        let name = crate::server::COOKIE;
        format!("{name}={}.{mac}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000", id.0)
    }

    fn mac(&self, id: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(id)
    }
}
