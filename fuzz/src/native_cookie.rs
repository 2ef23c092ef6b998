//! Cookies of session-runtime.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use session_runtime::{SessionConfig, SessionId};

use super::accepted::{Gate, NOW, is_one_value, now};
use super::cookies;

/// Checks a cookie. The first byte gives the meaning of the others:
///
/// - `s`: content that gets a valid signature
/// - `i`: the random parts of an id
/// - any other byte: a whole value
///
/// A cookie without a valid signature is not accepted, and signed content must be an id. Every id
/// is accepted up to the maximum age.
pub fn native_cookie(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind {
        b's' => {
            let Ok(id) = str::from_utf8(rest) else { return };
            check(signed(id).as_bytes());
        }
        b'i' => {
            let id = id(rest);
            assert_eq!(SessionId::parse(&id).unwrap().created_at(), now());
            assert!(check(signed(&id).as_bytes()), "a right cookie was refused");
        }
        _ => {
            check(rest);
        }
    }
}

static GATE: LazyLock<Gate> =
    LazyLock::new(|| Gate::new(SessionConfig::new().secret(cookies::SECRET)));

const NAME: &str = "__Host-session-id";

/// Returns whether the cookie is accepted.
fn check(value: &[u8]) -> bool {
    let is_accepted = is_one_value(value) && GATE.accepts(NAME, value);
    if is_accepted {
        let (id, _) =
            str::from_utf8(value).unwrap().rsplit_once('.').expect("an id and a signature");
        assert_eq!(signed(id).as_bytes(), value, "the signature is another's");
        // An id with a creation time appended, from the Python package.
        assert!(SessionId::parse(id).is_ok() || id.len() > 73, "no id");
    }
    is_accepted
}

/// Returns the value of a signed cookie.
fn signed(id: &str) -> String {
    cookies::cookie(id).split_once('=').unwrap().1.to_owned()
}

fn id(random: &[u8]) -> String {
    let mut bytes = [0; 30];
    let length = random.len().min(bytes.len());
    bytes[..length].copy_from_slice(&random[..length]);
    bytes[6..11].copy_from_slice(&NOW.to_be_bytes()[3..]);
    // One of the two lifetimes that exist.
    bytes[11] %= 2;
    URL_SAFE_NO_PAD.encode(bytes)
}
