//! The package's cookies on Tornado: [signed values, version 2].
//!
//! [signed values, version 2]: https://www.tornadoweb.org/en/stable/web.html#tornado.web.RequestHandler.set_signed_cookie

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::text::{id_of, signing_time, text_of};
use crate::config::TornadoCookie;
use crate::error::Error;
use crate::http::cookie_value::{Verified, Written};
use crate::id::SessionId;
use crate::id::python::{decimal, seconds, time_of};
use crate::lifecycle::MAX_CLOCK_SKEW;

/// The fraction of the maximum age after which a cookie counts as outdated. By default, that is a
/// day, so hardly any of the 31 days is lost.
const FRESH_SHARE: u32 = 31;

/// The signer and verifier of a cookie.
///
/// The value is `2|1:0|10:1300000000|10:session-id|96:…|…`. The first field is the version of the
/// format. Then follow the key's version, the time of signing, the cookie's name and the value in
/// base64, each after its length. The last field is the HMAC-SHA-256 of all fields before, in
/// hexadecimal.
pub(crate) struct TornadoSigner {
    name: Box<str>,
    key: Hmac<Sha256>,
    key_version: Option<u32>,
    max_age: Duration,
}

impl TornadoSigner {
    pub(crate) fn new(name: &str, cookie: &TornadoCookie) -> Result<Self, Error> {
        let key = Hmac::new_from_slice(cookie.secret_key.expose("Tornado"))
            .map_err(|_| Error::config("the secret key for Tornado cookies cannot be used"))?;
        let max_age = Duration::from_secs(u64::from(cookie.max_age_days) * 24 * 60 * 60);
        Ok(Self { name: name.into(), key, key_version: cookie.key_version, max_age })
    }

    /// Signs an id. Returns `None` if the value would already be too old.
    pub(super) fn sign(&self, id: &SessionId, now: SystemTime) -> Option<Written> {
        let signed_at = signing_time(id, now);
        let lasts =
            self.max_age.checked_sub(age(signed_at, now)).filter(|lasts| !lasts.is_zero())?;
        Some(Written { value: self.sign_at(id, signed_at), lasts: Some(lasts) })
    }

    fn sign_at(&self, id: &SessionId, signed_at: SystemTime) -> String {
        let key_version = self.key_version.unwrap_or(0).to_string();
        let timestamp = seconds(signed_at).to_string();
        let value = STANDARD.encode(text_of(id));
        let mut signed = "2|".to_owned();
        for field in [&*key_version, &timestamp, &self.name, &value] {
            signed.push_str(&format!("{}:{field}|", field.len()));
        }
        let mac = hex(&self.mac(signed.as_bytes()));
        signed + &mac
    }

    /// Returns the id in a cookie's value, if this key signed the value for this cookie, and the
    /// value is not too old.
    pub(super) fn verify(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        let value = unquoted(value);
        let parts = Parts::parse(value)?;
        let signed = &value[..value.len() - parts.signature.len()];
        if !bool::from(hex(&self.mac(signed)).as_bytes().ct_eq(parts.signature)) {
            return None;
        }
        let is_known =
            self.key_version.is_none_or(|version| parts.key_version == u64::from(version));
        let signed_at = time_of(parts.timestamp);
        let age = age(signed_at, now);
        let is_of_now = age <= self.max_age && signed_at <= now.checked_add(MAX_CLOCK_SKEW)?;
        if !is_known || !is_of_now || parts.name != self.name.as_bytes() {
            return None;
        }
        let id = id_of(&STANDARD.decode(parts.value).ok()?, signed_at)?;
        Some(Verified {
            id,
            is_outdated: age > self.max_age / FRESH_SHARE && id.python().is_none(),
        })
    }

    fn mac(&self, signed: &[u8]) -> [u8; 32] {
        let mut state = self.key.clone();
        state.update(signed);
        state.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for TornadoSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TornadoSigner(…)")
    }
}

/// The parts of a signed value.
struct Parts<'a> {
    key_version: u64,
    timestamp: u64,
    name: &'a [u8],
    value: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn parse(value: &'a [u8]) -> Option<Self> {
        let (key_version, rest) = field(value.strip_prefix(b"2|")?)?;
        let (timestamp, rest) = field(rest)?;
        let (name, rest) = field(rest)?;
        let (value, signature) = field(rest)?;
        Some(Self {
            key_version: decimal(key_version)?,
            timestamp: decimal(timestamp)?,
            name,
            value,
            signature,
        })
    }
}

/// Parses `LENGTH:FIELD|`, and returns the field and the rest.
fn field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().position(|c| *c == b':')?;
    let length = usize::try_from(decimal(&text[..colon])?).ok()?;
    let (field, rest) = text[colon + 1..].split_at_checked(length)?;
    Some((field, rest.strip_prefix(b"|")?))
}

/// Returns the age of a value. A value that was signed in the future has an age of zero.
fn age(signed_at: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(signed_at).unwrap_or_default()
}

/// Removes the quotes that Python adds to a value with an equals sign or a slash.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::python::tests::{NATIVE, NOW, PYTHON, native, python};

    fn signer(cookie: TornadoCookie) -> TornadoSigner {
        TornadoSigner::new("session-id", &cookie).unwrap()
    }

    fn days_later(days: u64, seconds: u64) -> SystemTime {
        time_of(NOW + days * 86_400 + seconds)
    }

    fn usual() -> TornadoSigner {
        signer(TornadoCookie::new("key"))
    }

    /// Returns a value with these fields and a valid signature.
    fn signed(fields: [&str; 4]) -> Vec<u8> {
        let fields: String =
            fields.iter().map(|field| format!("{}:{field}|", field.len())).collect();
        with_signature(format!("2|{fields}").as_bytes())
    }

    fn with_signature(signed: &[u8]) -> Vec<u8> {
        [signed, hex(&usual().mac(signed)).as_bytes()].concat()
    }

    #[test]
    fn a_signed_value_verifies_with_its_creation_time() {
        let now = time_of(NOW + 86_400);
        for id in [python(), native()] {
            let value = usual().sign(&id, now).unwrap().value;
            let verified = usual().verify(value.as_bytes(), now).unwrap();
            assert_eq!(verified, Verified { id, is_outdated: false });
            assert_eq!(verified.id.created_at(), time_of(NOW));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", usual()), "TornadoSigner(…)");
    }

    #[test]
    fn a_value_lasts_as_many_days_as_it_may() {
        let value = usual().sign(&python(), time_of(NOW)).unwrap().value;
        let after = |days: u64, seconds| {
            usual().verify(value.as_bytes(), days_later(days, seconds)).is_some()
        };
        assert_eq!((after(31, 0), after(31, 1)), (true, false));
        let short = signer(TornadoCookie::new("key").max_age_days(1));
        assert!(short.verify(value.as_bytes(), days_later(1, 1)).is_none());
    }

    #[test]
    fn a_value_of_the_future_is_no_session() {
        for id in [python(), native()] {
            let value = usual().sign_at(&id, time_of(NOW));
            let before =
                |seconds| usual().verify(value.as_bytes(), time_of(NOW - seconds)).is_some();
            assert_eq!((before(300), before(301)), (true, false));
        }
    }

    #[test]
    fn an_old_session_of_our_own_gets_a_value_with_the_current_time() {
        let later = days_later(40, 0);
        let written = usual().sign(&native(), later).unwrap();
        assert_eq!(written.lasts, Some(days_later(31, 0).duration_since(time_of(NOW)).unwrap()));
        let is_outdated = |now| usual().verify(written.value.as_bytes(), now).unwrap().is_outdated;
        assert!(!is_outdated(days_later(41, 0)) && is_outdated(days_later(41, 1)));
    }

    #[test]
    fn an_old_python_session_gets_no_value_that_python_would_reject() {
        let lasts = |now| usual().sign(&python(), now).map(|written| written.lasts.unwrap());
        assert_eq!(lasts(days_later(30, 86_399)), Some(Duration::from_secs(1)));
        assert_eq!((lasts(days_later(31, 0)), lasts(days_later(40, 0))), (None, None));
        let value = usual().sign_at(&python(), time_of(NOW));
        assert!(!usual().verify(value.as_bytes(), days_later(31, 0)).unwrap().is_outdated);
    }

    #[test]
    fn another_key_name_or_version_does_not_verify() {
        let value =
            signer(TornadoCookie::new("key").key_version(3)).sign_at(&python(), time_of(NOW));
        let verifies =
            |signer: TornadoSigner| signer.verify(value.as_bytes(), time_of(NOW)).is_some();
        assert!(verifies(usual()) && verifies(signer(TornadoCookie::new("key").key_version(3))));
        assert!(!verifies(signer(TornadoCookie::new("key").key_version(2))));
        assert!(!verifies(signer(TornadoCookie::new("other"))));
        assert!(!verifies(TornadoSigner::new("session", &TornadoCookie::new("key")).unwrap()));
    }

    #[test]
    fn quotes_around_a_value_are_removed_as_in_python() {
        let value = format!("\"{}\"", usual().sign_at(&python(), time_of(NOW)));
        assert!(usual().verify(value.as_bytes(), time_of(NOW)).is_some());
    }

    #[test]
    fn a_signed_but_malformed_value_is_no_session() {
        let (now, id) = (NOW.to_string(), STANDARD.encode(PYTHON));
        let verifies = |fields: [&str; 4]| usual().verify(&signed(fields), time_of(NOW)).is_some();
        assert!(verifies(["0", &now, "session-id", &id]));
        let version_1 = format!("{id}|{now}|{}", "0".repeat(40));
        assert!(usual().verify(version_1.as_bytes(), time_of(NOW)).is_none());
        for fields in [
            ["-1", &now, "session-id", &id],
            ["0", "", "session-id", &id],
            ["0", "18446744073709551616", "session-id", &id],
            ["0", "+1761741315", "session-id", &id],
            ["0", &now, "session-id ", &id],
            ["0", &now, "session-id", "!"],
            ["0", &now, "session-id", ""],
            ["0", &now, "session-id", &STANDARD.encode("admin")],
            ["0", &now, "session-id", &STANDARD.encode(format!("{{{NATIVE}"))],
        ] {
            assert!(!verifies(fields), "{fields:?}");
        }
    }

    proptest! {
        #[test]
        fn no_altered_byte_verifies(at in 0_usize..190, byte: u8) {
            let mut value = usual().sign_at(&python(), time_of(NOW)).into_bytes();
            let at = at % value.len();
            prop_assume!(value[at] != byte);
            value[at] = byte;
            prop_assert!(usual().verify(&value, time_of(NOW)).is_none());
        }

        #[test]
        fn any_signed_value_is_read_without_a_panic(
            body in prop::collection::vec(any::<u8>(), 0..300),
            fields: [String; 4],
            prefix in "2\\|([0-9]{0,20}:[0-9|:a-z]{0,20}\\|){0,5}",
            now: u32,
        ) {
            let now = time_of(u64::from(now));
            usual().verify(&body, now);
            usual().verify(&with_signature(&body), now);
            usual().verify(&signed(fields.each_ref().map(|field| &**field)), now);
            prop_assert!(usual().verify(&with_signature(prefix.as_bytes()), now).is_none());
        }
    }
}
