//! The package's cookies on Flask: JSON in `URLSafeTimedSerializer` of itsdangerous.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde_json::{Map, Value};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::text::{id_of, signing_time, text_of};
use crate::config::FlaskCookie;
use crate::error::Error;
use crate::id::SessionId;
use crate::id::python::{seconds, time_of};

/// The signer and verifier of a cookie.
///
/// The value is `PAYLOAD.TIMESTAMP.MAC`, each in base64url. The payload is `{"NAME":"ID"}`. After a
/// leading dot, the payload is compressed by zlib. Python compresses to save a few bytes, and this
/// code does not.
///
/// The MAC is HMAC-SHA-1 over the text before. Its key is the HMAC-SHA-1 of the salt with the
/// secret key. The salt of the package is that same secret key.
pub(crate) struct FlaskSigner {
    name: Box<str>,
    key: Hmac<Sha1>,
}

impl FlaskSigner {
    pub(crate) fn new(name: &str, cookie: &FlaskCookie) -> Result<Self, Error> {
        let secret_key = cookie.secret_key.expose("Flask");
        let key = prepare(&mac(&prepare(secret_key)?, secret_key))?;
        Ok(Self { name: name.into(), key })
    }

    pub(super) fn sign(&self, id: &SessionId, now: SystemTime) -> String {
        let object = Map::from_iter([(self.name.to_string(), Value::String(text_of(id)))]);
        let timestamp = seconds(signing_time(id, now)).to_be_bytes();
        let leading_zeros = timestamp.iter().take_while(|byte| **byte == 0).count();
        let timestamp = URL_SAFE_NO_PAD.encode(&timestamp[leading_zeros..]);
        let signed =
            format!("{}.{timestamp}", URL_SAFE_NO_PAD.encode(Value::Object(object).to_string()));
        let mac = self.mac(signed.as_bytes());
        format!("{signed}.{mac}")
    }

    /// Returns the id in a cookie's value, if this key signed the value for this cookie.
    pub(super) fn verify(&self, value: &[u8]) -> Option<SessionId> {
        let (signed, given) = split_last(value)?;
        if !bool::from(self.mac(signed).as_bytes().ct_eq(given)) {
            return None;
        }
        let (payload, timestamp) = split_last(signed)?;
        let object: Map<String, Value> = serde_json::from_slice(&json(payload)?).ok()?;
        id_of(object.get(&*self.name)?.as_str()?.as_bytes(), time_of(signed_at(timestamp)?))
    }

    fn mac(&self, signed: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(mac(&self.key, signed))
    }
}

impl std::fmt::Debug for FlaskSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FlaskSigner(…)")
    }
}

fn prepare(key: &[u8]) -> Result<Hmac<Sha1>, Error> {
    Hmac::new_from_slice(key)
        .map_err(|_| Error::config("the secret key for Flask cookies cannot be used"))
}

fn mac(key: &Hmac<Sha1>, text: &[u8]) -> [u8; 20] {
    let mut state = key.clone();
    state.update(text);
    state.finalize().into_bytes().into()
}

fn json(payload: &[u8]) -> Option<Vec<u8>> {
    match payload.strip_prefix(b".") {
        Some(compressed) => decompress_to_vec_zlib_with_limit(
            &URL_SAFE_NO_PAD.decode(compressed).ok()?,
            MAX_INFLATED,
        )
        .ok(),
        None => URL_SAFE_NO_PAD.decode(payload).ok(),
    }
}

/// Returns seconds since 1970. Before itsdangerous 1.0, seconds were counted from 2011.
fn signed_at(timestamp: &[u8]) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(timestamp).ok()?;
    let mut seconds = [0; 8];
    seconds[8_usize.checked_sub(bytes.len())?..].copy_from_slice(&bytes);
    let seconds = u64::from_be_bytes(seconds);
    // Until 2052, times in the old form look like the past.
    Some(if seconds < YEAR_2011 { seconds + YEAR_2011 } else { seconds })
}

fn split_last(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = text.iter().rposition(|c| *c == b'.')?;
    Some((&text[..dot], &text[dot + 1..]))
}

/// A few hundred times the size of a cookie of the package.
const MAX_INFLATED: usize = 64 * 1024;

/// The former `itsdangerous.EPOCH`.
const YEAR_2011: u64 = 1_293_840_000;

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    use super::*;
    use crate::id::python::tests::{NATIVE, NOW, PYTHON, native, python};

    fn signer() -> FlaskSigner {
        FlaskSigner::new("session-id", &FlaskCookie::new("key")).unwrap()
    }

    fn signed(payload: &str, timestamp: &[u8]) -> Vec<u8> {
        with_mac(&format!("{payload}.{}", URL_SAFE_NO_PAD.encode(timestamp)))
    }

    fn with_mac(signed: &str) -> Vec<u8> {
        format!("{signed}.{}", signer().mac(signed.as_bytes())).into_bytes()
    }

    fn compressed(json: &str) -> String {
        format!(".{}", URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(json.as_bytes(), 9)))
    }

    #[test]
    fn a_signed_value_verifies_with_its_creation_time() {
        let verified =
            |id: &SessionId| signer().verify(signer().sign(id, time_of(NOW)).as_bytes()).unwrap();
        assert_eq!(verified(&python()).created_at(), time_of(NOW));
        assert_eq!(verified(&python()), python());
        assert_eq!(verified(&native()).expose_secret(), NATIVE);
    }

    #[test]
    fn another_key_or_name_does_not_verify() {
        let value = signer().sign(&python(), time_of(NOW));
        let verifies = |name: &str, key: &str| {
            FlaskSigner::new(name, &FlaskCookie::new(key))
                .unwrap()
                .verify(value.as_bytes())
                .is_some()
        };
        assert!(verifies("session-id", "key"));
        assert!(!verifies("session-id", "other") && !verifies("session", "key"));
    }

    #[test]
    fn timestamps_of_old_releases_count_from_2011() {
        let json = format!(r#"{{"session-id":"{PYTHON}"}}"#);
        for (timestamp, created_at) in
            [(NOW - YEAR_2011, NOW), (YEAR_2011 - 1, 2 * YEAR_2011 - 1), (YEAR_2011, YEAR_2011)]
        {
            let timestamp = u32::try_from(timestamp).unwrap().to_be_bytes();
            let id = signer().verify(&signed(&compressed(&json), &timestamp)).unwrap();
            assert_eq!(id.created_at(), time_of(created_at));
        }
    }

    #[test]
    fn a_timestamp_is_written_without_leading_zeros() {
        let value = signer().sign(&native(), time_of(NOW));
        let timestamp = URL_SAFE_NO_PAD.decode(value.split('.').nth(1).unwrap()).unwrap();
        assert_eq!(timestamp, u32::try_from(NOW).unwrap().to_be_bytes());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", signer()), "FlaskSigner(…)");
    }

    #[test]
    fn no_more_than_64_kilobytes_are_inflated() {
        let padded = |length: usize| {
            let json = format!(r#"{{"session-id":"{PYTHON}"}}"#);
            let padding = " ".repeat(length - json.len());
            signer().verify(&signed(&compressed(&(json + &padding)), &[1])).is_some()
        };
        assert_eq!((padded(64 * 1024), padded(64 * 1024 + 1)), (true, false));
        assert!(!padded(64 * 1024 * 1024));
    }

    #[test]
    fn a_signed_but_malformed_value_is_no_session() {
        let json = format!(r#"{{"session-id":"{PYTHON}"}}"#);
        let verifies = |payload: &str, timestamp: &[u8]| {
            signer().verify(&signed(payload, timestamp)).is_some()
        };
        assert!(
            verifies(&compressed(&json), &[1]) && verifies(&URL_SAFE_NO_PAD.encode(&json), &[0; 8])
        );
        assert!(!verifies(&compressed(&json), &[0; 9]));
        let nested = "[".repeat(40_000);
        for json in [
            "",
            "null",
            "[]",
            r#"{"session-id":null}"#,
            r#"{"session-id":{" b":""}}"#,
            r#"{"session-id":"admin"}"#,
            &nested,
        ] {
            assert!(
                !verifies(&compressed(json), &[1])
                    && !verifies(&URL_SAFE_NO_PAD.encode(json), &[1]),
                "{json:.40}"
            );
        }
        assert!(
            !verifies(".", &[1])
                && !verifies("", &[1])
                && !verifies("!", &[1])
                && !verifies(".AAAA", &[1])
        );
        assert!(signer().verify(&with_mac("onepart")).is_none());
    }

    proptest! {
        #[test]
        fn no_altered_byte_verifies(at in 0_usize..190, byte: u8) {
            let mut value = signer().sign(&python(), time_of(NOW)).into_bytes();
            let at = at % value.len();
            prop_assume!(value[at] != byte);
            value[at] = byte;
            prop_assert!(signer().verify(&value).is_none());
        }

        #[test]
        fn any_signed_value_is_read_without_a_panic(
            body in prop::collection::vec(any::<u8>(), 0..300),
            text: String,
            timestamp in prop::collection::vec(any::<u8>(), 0..12),
        ) {
            signer().verify(&body);
            let stream = format!(".{}", URL_SAFE_NO_PAD.encode(&body));
            for payload in [text.clone(), compressed(&text), URL_SAFE_NO_PAD.encode(&body), stream] {
                prop_assert!(signer().verify(&signed(&payload, &timestamp)).is_none());
            }
        }

        #[test]
        fn a_damaged_stream_is_no_session(at in 0_usize..90, byte: u8) {
            let mut stream = compress_to_vec_zlib(format!(r#"{{"session-id":"{NATIVE}"}}"#).as_bytes(), 6);
            // Changes only bytes after the header, where some changes are harmless.
            let at = 2 + at % (stream.len() - 2);
            prop_assume!(stream[at] != byte);
            stream[at] = byte;
            let value = signed(&format!(".{}", URL_SAFE_NO_PAD.encode(stream)), &[1]);
            prop_assert!(signer().verify(&value).is_none());
        }
    }
}
