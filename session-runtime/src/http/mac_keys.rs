//! The keys of one kind of MAC, derived from the secrets.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::{Secret, Settings};

/// The keys of HMAC-SHA-256 for one purpose and one cookie. The newest key signs, and all keys
/// verify.
///
/// Keys are derived from the configured secrets by HKDF-SHA-256 ([RFC 5869]), without salt. The
/// label names the purpose. Another use of the same secret, or another format, must have another
/// label. The cookie's name and NUL come before each message, so a MAC for one cookie is not valid
/// for another.
///
/// [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869
pub(super) struct MacKeys {
    /// A prepared state for each key, which already contains the cookie's name.
    pub(super) newest: Hmac<Sha256>,
    pub(super) older: Vec<Hmac<Sha256>>,
}

impl MacKeys {
    /// Derives the keys from the secrets. Returns `None` without a secret.
    pub(super) fn of_settings(label: &[u8], settings: &Settings) -> Option<Self> {
        let (newest, older) = settings.secrets.split_first()?;
        let older = older.iter().map(Secret::expose);
        Some(Self::new(label, &settings.cookie.name, newest.expose(), older))
    }

    pub(super) fn new<'a>(
        label: &[u8],
        cookie_name: &str,
        newest: &[u8],
        older: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let prepare = |secret: &[u8]| prepare(label, cookie_name, secret);
        Self { newest: prepare(newest), older: older.into_iter().map(prepare).collect() }
    }
}

fn prepare(label: &[u8], cookie_name: &str, secret: &[u8]) -> Hmac<Sha256> {
    // A key of 32 bytes, padded with zeros to the block size of HMAC (RFC 2104).
    let mut key = [0; 64];
    // HKDF refuses more than 255 blocks of output, and this is a single block.
    let _ = Hkdf::<Sha256>::new(None, secret).expand(label, &mut key[..32]);
    let mut state = Hmac::<Sha256>::new(&key.into());
    state.update(cookie_name.as_bytes());
    state.update(&[0]);
    state
}

/// Returns the MAC of a message, to be finished or compared in constant time.
pub(super) fn mac(key: &Hmac<Sha256>, message: &[u8]) -> Hmac<Sha256> {
    key.clone().chain_update(message)
}

impl fmt::Debug for MacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", 1 + self.older.len())
    }
}
