//! Cookies of the Python package on Flask.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use session_runtime::SessionConfig;
use session_runtime::redis_session::{CookieFormat, FlaskCookie};
use sha1::Sha1;

use super::accepted::{Gate, NOW, is_one_value, python_id};

/// Checks a cookie. The first byte gives the meaning of the others:
///
/// - `s`: content that gets a valid signature
/// - `t`: the time of signing
/// - `j`: the JSON content
/// - `z`: the compressed form of the JSON
/// - `i`: the digits of an id
/// - any other byte: a whole value
///
/// A cookie without a valid signature is not accepted, and neither is JSON without an id. Every id
/// of the package is accepted.
pub fn flask_cookie(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind {
        b's' => drop(check(&signed(rest))),
        b't' => drop(check(&signed_at(json(&python_id(rest)).as_bytes(), rest))),
        b'j' => {
            let value = signed_at(rest, &NOW.to_be_bytes());
            assert!(!check(&value) || names_a_session(rest), "an id came from nowhere");
        }
        b'z' => {
            let body = format!(
                ".{}.{}",
                URL_SAFE_NO_PAD.encode(rest),
                URL_SAFE_NO_PAD.encode(NOW.to_be_bytes())
            );
            check(&signed(body.as_bytes()));
        }
        b'i' => {
            let value = signed_at(json(&python_id(rest)).as_bytes(), &NOW.to_be_bytes());
            assert!(check(&value), "a right cookie was refused");
        }
        _ => drop(check(rest)),
    }
}

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    Gate::new(
        SessionConfig::new().cookie_formats([CookieFormat::Flask(FlaskCookie::new(SECRET_KEY))]),
    )
});

const NAME: &str = "session-id";
const SECRET_KEY: &str = "the secret key of a Flask application";

/// Returns whether the cookie is accepted.
fn check(value: &[u8]) -> bool {
    let is_accepted = is_one_value(value) && GATE.accepts(NAME, value);
    if is_accepted {
        let dot =
            value.iter().rposition(|byte| *byte == b'.').expect("something signed and a signature");
        assert_eq!(signed(&value[..dot]), value, "the signature is another's");
    }
    is_accepted
}

fn json(id: &str) -> String {
    format!(r#"{{"{NAME}":"{id}"}}"#)
}

fn names_a_session(json: &[u8]) -> bool {
    serde_json::from_slice::<Value>(json).is_ok_and(|value| value[NAME].is_string())
}

fn signed_at(json: &[u8], time: &[u8]) -> Vec<u8> {
    signed(format!("{}.{}", URL_SAFE_NO_PAD.encode(json), URL_SAFE_NO_PAD.encode(time)).as_bytes())
}

fn signed(body: &[u8]) -> Vec<u8> {
    let secret_key = SECRET_KEY.as_bytes();
    let mac = URL_SAFE_NO_PAD.encode(mac(&mac(secret_key, secret_key), body));
    [body, b".", mac.as_bytes()].concat()
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
