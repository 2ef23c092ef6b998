//! The library's own cookies.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use session_runtime::{SessionConfig, SessionId};

use super::accepted::{Gate, NOW, is_one_value, now};
use super::cookies;

/// The first byte says what the others are: `s` is what is signed rightly, `i` the random parts of
/// an id, anything else a whole value.
///
/// What is not signed is not accepted, what is signed is an id, and every id is accepted while it
/// can be alive.
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

/// Whether it is accepted.
fn check(value: &[u8]) -> bool {
    let is_accepted = is_one_value(value) && GATE.accepts(NAME, value);
    if is_accepted {
        let (id, _) =
            str::from_utf8(value).unwrap().rsplit_once('.').expect("an id and a signature");
        assert_eq!(signed(id).as_bytes(), value, "the signature is another's");
        // With its creation time behind it: one of the Python package.
        assert!(SessionId::parse(id).is_ok() || id.len() > 73, "no id");
    }
    is_accepted
}

/// The value of a cookie that is signed.
fn signed(id: &str) -> String {
    cookies::cookie(id).split_once('=').unwrap().1.to_owned()
}

fn id(random: &[u8]) -> String {
    let mut bytes = [0; 30];
    let length = random.len().min(bytes.len());
    bytes[..length].copy_from_slice(&random[..length]);
    bytes[6..11].copy_from_slice(&NOW.to_be_bytes()[3..]);
    // One of the two lifetimes that there are.
    bytes[11] %= 2;
    URL_SAFE_NO_PAD.encode(bytes)
}
