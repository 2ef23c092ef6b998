//! The signatures of session ids in cookies and tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::cookie_value::Verified;
use super::mac_keys::{MacKeys, mac};
use crate::config::Settings;
use crate::error::Error;
use crate::id::SessionId;

/// The purposes of the derived keys. A cookie is no token, and a token is no cookie.
const OF_COOKIES: &[u8] = b"session-runtime cookie signature v1";
const OF_TOKENS: &[u8] = b"session-runtime bearer token signature v1";
const NO_SECRET: &str =
    "the setting `secret` (SESSION_SECRET) is required for a custom store and for tokens";
/// The length of 32 bytes in base64url.
const MAC_LEN: usize = 43;

/// The keys of a cookie or of its counterpart among tokens. The first key signs, and all keys
/// verify.
///
/// A value is `ID.MAC`. The MAC is HMAC-SHA-256 over the cookie's name, NUL and the id, in
/// base64url.
pub(crate) struct Keyring(MacKeys);

impl Keyring {
    /// Derives the keys of the session cookie.
    ///
    /// # Errors
    ///
    /// `is_config` without a secret.
    pub(crate) fn of_cookies(settings: &Settings) -> Result<Self, Error> {
        Self::of_settings(OF_COOKIES, settings)
    }

    /// Derives the keys of bearer tokens.
    ///
    /// # Errors
    ///
    /// `is_config` without a secret.
    pub(crate) fn of_tokens(settings: &Settings) -> Result<Self, Error> {
        Self::of_settings(OF_TOKENS, settings)
    }

    fn of_settings(label: &[u8], settings: &Settings) -> Result<Self, Error> {
        let keys = MacKeys::of_settings(label, settings);
        keys.map(Self).ok_or_else(|| Error::config(NO_SECRET))
    }

    /// Creates the keys of a cookie without other settings.
    #[cfg(test)]
    pub(crate) fn new<'a>(
        cookie_name: &str,
        signing: &[u8],
        older: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        Self(MacKeys::new(OF_COOKIES, cookie_name, signing, older))
    }

    /// Returns the signed value for an id.
    pub(crate) fn sign(&self, id: &SessionId) -> String {
        let signed = id.expose_secret();
        let mut value = String::with_capacity(signed.len() + 1 + MAC_LEN);
        value.push_str(signed);
        value.push('.');
        URL_SAFE_NO_PAD.encode_string(
            mac(&self.0.newest, signed.as_bytes()).finalize().into_bytes(),
            &mut value,
        );
        value
    }

    /// Returns the id in a signed value, if one of the keys signed exactly this value.
    pub(crate) fn verify(&self, value: &[u8]) -> Option<Verified> {
        let (signed, given) = value.split_at_checked(value.len().checked_sub(MAC_LEN)?)?;
        let signed = signed.strip_suffix(b".")?;
        let id = SessionId::from_ascii(signed)?;
        // The bytes of a MAC have a single valid text. Other texts of the same bytes are refused.
        let mut given_mac = [0; 32];
        URL_SAFE_NO_PAD.decode_slice(given, &mut given_mac).ok()?;
        // Compares in constant time.
        let signed_by = |key: &Hmac<Sha256>| mac(key, signed).verify_slice(&given_mac).is_ok();
        let is_outdated = !signed_by(&self.0.newest);
        (!is_outdated || self.0.older.iter().any(signed_by)).then_some(Verified { id, is_outdated })
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALUE_LEN: usize = SessionId::LEN + 1 + MAC_LEN;
    const SECRET: &[u8] = b"golden vector: a secret of 32+ bytes";
    const ID: &str = "dGFndGFnAGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0";

    fn id() -> SessionId {
        SessionId::parse(ID).unwrap()
    }

    /// Computed with Python's `hmac` and `hashlib`, see `tests/support/cookies.py`.
    #[test]
    fn format_is_pinned() {
        let keyring = Keyring::new("__Host-session-id", SECRET, []);
        assert_eq!(
            keyring.sign(&id()),
            "dGFndGFnAGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0.BIL4EsGa9RhZo-bywiQbCK2gD1xSZVZyYcTr5RKB4nc"
        );
    }

    #[test]
    fn all_keys_verify_and_the_first_signs() {
        let (old, new) = (Keyring::new("c", b"old", []), Keyring::new("c", b"new", [&b"old"[..]]));
        let verified = |value: &str| new.verify(value.as_bytes());
        assert_eq!(verified(&old.sign(&id())), Some(Verified { id: id(), is_outdated: true }));
        assert_eq!(verified(&new.sign(&id())), Some(Verified { id: id(), is_outdated: false }));
        assert_eq!(old.verify(new.sign(&id()).as_bytes()), None);
    }

    #[test]
    fn debug_shows_how_many_keys_there_are() {
        let keyring = Keyring::new("c", SECRET, [&b"older"[..], &b"oldest"[..]]);
        assert_eq!(format!("{keyring:?}"), "Keyring(3 keys)");
    }

    #[test]
    fn a_value_for_another_cookie_name_does_not_verify() {
        let value = Keyring::new("admin", SECRET, []).sign(&id());
        assert_eq!(Keyring::new("user", SECRET, []).verify(value.as_bytes()), None);
    }

    #[test]
    fn an_unsigned_id_does_not_verify() {
        let keyring = Keyring::new("c", SECRET, []);
        for value in [ID.to_owned(), format!("{ID}."), format!("{ID}.{}", "A".repeat(43))] {
            assert_eq!(keyring.verify(value.as_bytes()), None);
        }
    }

    proptest! {
        #[test]
        fn no_altered_byte_verifies(at in 0..VALUE_LEN, byte: u8) {
            let keyring = Keyring::new("c", SECRET, []);
            let mut value = keyring.sign(&id()).into_bytes();
            prop_assume!(value[at] != byte);
            value[at] = byte;
            prop_assert_eq!(keyring.verify(&value), None);
        }

        #[test]
        fn no_shortened_or_extended_value_verifies(cut in 0..VALUE_LEN, tail in proptest::collection::vec(any::<u8>(), 1..20)) {
            let keyring = Keyring::new("c", SECRET, []);
            let value = keyring.sign(&id()).into_bytes();
            prop_assert_eq!(keyring.verify(&value[..cut]), None);
            prop_assert_eq!(keyring.verify(&[&value[..], &tail].concat()), None);
        }

        #[test]
        fn arbitrary_bytes_do_not_verify(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Keyring::new("c", SECRET, []).verify(&value), None);
        }
    }
}
