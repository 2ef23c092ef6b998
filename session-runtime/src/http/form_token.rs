//! The tokens of forms, which prove that a form comes from a page of the session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::mac_keys::{MacKeys, mac};
use crate::config::Settings;
use crate::id::SessionId;

/// The purpose of the derived keys.
const LABEL: &[u8] = b"session-runtime form token v1";
const MAC_LEN: usize = 16;
const BYTES: usize = NONCE_LEN + MAC_LEN;
/// The length of 32 bytes in base64url.
const TEXT_LEN: usize = 43;

pub(crate) const NONCE_LEN: usize = 16;

/// The keys of form tokens. The newest key makes tokens, and all keys verify.
///
/// A token is a nonce of 16 random bytes and a MAC, in base64url. The MAC is the first 16 bytes of
/// HMAC-SHA-256 over the cookie's name, NUL, the nonce and the id. Nothing is stored: each nonce
/// gives another token, and all of them are valid while the session has this id.
pub(crate) struct FormTokenKeys(MacKeys);

impl FormTokenKeys {
    /// Returns `None` without a secret.
    pub(crate) fn new(settings: &Settings) -> Option<Self> {
        MacKeys::of_settings(LABEL, settings).map(Self)
    }

    /// Returns the token with this nonce.
    pub(crate) fn make(&self, nonce: &[u8; NONCE_LEN], id: &SessionId) -> String {
        let mac = mac_of(&self.0.newest, nonce, id).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([nonce, &mac[..MAC_LEN]].concat())
    }

    /// Returns whether one of the keys made this token for this id.
    pub(crate) fn verify(&self, sent: &[u8], id: &SessionId) -> bool {
        let mut token = [0; BYTES];
        // The bytes of a token have a single valid text. Other texts of the same bytes are refused.
        if sent.len() != TEXT_LEN || URL_SAFE_NO_PAD.decode_slice(sent, &mut token).is_err() {
            return false;
        }
        let (nonce, given_mac) = token.split_at(NONCE_LEN);
        // Compares in constant time.
        let made_by =
            |key: &Hmac<Sha256>| mac_of(key, nonce, id).verify_truncated_left(given_mac).is_ok();
        made_by(&self.0.newest) || self.0.older.iter().any(made_by)
    }
}

fn mac_of(key: &Hmac<Sha256>, nonce: &[u8], id: &SessionId) -> Hmac<Sha256> {
    mac(key, nonce).chain_update(id.as_equal_ascii())
}

impl std::fmt::Debug for FormTokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FormTokenKeys({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "__Host-session-id";
    const SECRET: &[u8] = b"golden vector: a secret of 32+ bytes";
    const ID: &str = "dGFndGFnAGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0";
    const NONCE: [u8; NONCE_LEN] = [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];
    const TOKEN: &str = "EBESExQVFhcYGRobHB0eH0DjjAdhbnn4mMA03lPFmBg";

    fn keys(cookie_name: &str, newest: &[u8], older: &[&[u8]]) -> FormTokenKeys {
        FormTokenKeys(MacKeys::new(LABEL, cookie_name, newest, older.iter().copied()))
    }

    fn id() -> SessionId {
        SessionId::parse(ID).unwrap()
    }

    fn is_valid(sent: impl AsRef<[u8]>) -> bool {
        keys(NAME, SECRET, &[]).verify(sent.as_ref(), &id())
    }

    /// Computed with Python's `hmac` and `hashlib`, see `tests/support/cookies.py`.
    #[test]
    fn format_is_pinned() {
        assert_eq!(keys(NAME, SECRET, &[]).make(&NONCE, &id()), TOKEN);
        assert!(is_valid(TOKEN));
    }

    #[test]
    fn each_nonce_gives_a_token_that_verifies() {
        let keys = keys(NAME, SECRET, &[]);
        let tokens: BTreeSet<_> = (0..=255).map(|byte| keys.make(&[byte; 16], &id())).collect();
        assert_eq!(tokens.len(), 256);
        assert!(tokens.iter().all(is_valid));
    }

    #[test]
    fn all_keys_verify_and_the_newest_makes() {
        let (old, new) = (keys(NAME, b"old", &[]), keys(NAME, b"new", &[b"other", b"old"]));
        let (former, newest) = (old.make(&NONCE, &id()), new.make(&NONCE, &id()));
        assert!(new.verify(former.as_bytes(), &id()) && new.verify(newest.as_bytes(), &id()));
        assert!(!old.verify(newest.as_bytes(), &id()));
        assert!(!is_valid(&former) && !is_valid(&newest));
    }

    #[test]
    fn a_token_is_for_one_session_and_one_cookie() {
        let made_here = keys(NAME, SECRET, &[]);
        let token = made_here.make(&NONCE, &id());
        assert!(made_here.verify(token.as_bytes(), &id()));
        for at in 0..ID.len() {
            let mut other = ID.as_bytes().to_vec();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = SessionId::from_ascii(&other).unwrap();
            assert!(!made_here.verify(token.as_bytes(), &other), "{at}");
        }
        assert!(!keys("session-id", SECRET, &[]).verify(token.as_bytes(), &id()));
    }

    /// The signature of the cookie has another key.
    #[test]
    fn the_mac_of_a_cookie_is_no_token() {
        let nonce_and_id = [&NONCE, ID.as_bytes()].concat();
        let cookie = MacKeys::new(b"session-runtime cookie signature v1", NAME, SECRET, []);
        let mac = mac(&cookie.newest, &nonce_and_id).finalize().into_bytes();
        assert!(!is_valid(URL_SAFE_NO_PAD.encode([&NONCE, &mac[..MAC_LEN]].concat())));
    }

    #[cfg(feature = "redis-session-compat")]
    #[test]
    fn an_id_from_python_may_have_another_creation_time() {
        use crate::id::python::{PythonId, tests::PYTHON, time_of};

        let created_at =
            |time| SessionId::of_python(PythonId::new(PYTHON.as_bytes(), time_of(time)).unwrap());
        let keys = keys(NAME, SECRET, &[]);
        assert!(keys.verify(keys.make(&NONCE, &created_at(1)).as_bytes(), &created_at(2)));
    }

    #[test]
    fn no_other_text_verifies() {
        let padded = format!("{TOKEN}=");
        let other_last = format!("{}h", &TOKEN[..TEXT_LEN - 1]);
        let umlaut = format!("{}ö", &TOKEN[..TEXT_LEN - 2]);
        let zeros = "A".repeat(TEXT_LEN);
        let long = TOKEN.repeat(250);
        for text in ["", "A", "\0", ID, &padded, &other_last, &umlaut, &zeros, &long] {
            assert!(!is_valid(text), "{text}");
        }
        for at in 0..TEXT_LEN {
            assert!(!is_valid(&TOKEN[..at]) && !is_valid(&TOKEN[at + 1..]), "{at}");
        }
    }

    #[test]
    fn every_altered_byte_counts() {
        for at in 0..TEXT_LEN {
            for byte in 0..=u8::MAX {
                let mut altered = TOKEN.as_bytes().to_vec();
                altered[at] = byte;
                assert_eq!(is_valid(&altered), altered == TOKEN.as_bytes(), "{at}: {byte}");
            }
        }
    }

    #[test]
    fn debug_shows_how_many_keys_there_are() {
        assert_eq!(format!("{:?}", keys("c", SECRET, &[b"older"])), "FormTokenKeys(2 keys)");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_verify(sent in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(!is_valid(sent));
        }

        #[test]
        fn arbitrary_tokens_do_not_verify(token: [u8; BYTES]) {
            prop_assert!(!is_valid(URL_SAFE_NO_PAD.encode(token)));
        }
    }
}
