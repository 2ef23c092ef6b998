//! Cookies of the Python package on Tornado.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use session_runtime::SessionConfig;
use session_runtime::redis_session::{CookieFormat, TornadoCookie};
use sha2::Sha256;

use super::accepted::{Gate, NOW, is_one_value, python_id};

/// Checks a cookie. The first byte gives the meaning of the others:
///
/// - `s`: content that gets a valid signature
/// - `f`: four fields of this content, separated by newlines
/// - `i`: the digits of an id
/// - any other byte: a whole value
///
/// A cookie without a valid signature is not accepted. Every id of the package is accepted until
/// the cookie is too old.
pub fn tornado_cookie(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind {
        b's' => drop(check(&signed(rest))),
        b'f' => drop(check(&signed(&fields(rest.splitn(4, |byte| *byte == b'\n'))))),
        b'i' => {
            let (now, id) = (NOW.to_string(), STANDARD.encode(python_id(rest)));
            let fields = fields(["0", &now, NAME, &id].map(str::as_bytes));
            assert!(check(&signed(&fields)), "a right cookie was refused");
        }
        _ => drop(check(rest)),
    }
}

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let formats = [CookieFormat::Tornado(TornadoCookie::new(SECRET_KEY))];
    Gate::new(SessionConfig::new().cookie_formats(formats))
});

const NAME: &str = "session-id";
const SECRET_KEY: &str = "the secret key of a Tornado application";

/// Returns whether the cookie is accepted.
fn check(value: &[u8]) -> bool {
    let is_accepted = is_one_value(value) && GATE.accepts(NAME, value);
    if is_accepted {
        let inner =
            value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        let (body, _) = inner.split_at(inner.len() - 64);
        assert_eq!(signed(body), inner, "the signature is another's");
    }
    is_accepted
}

fn fields<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let field = |field: &'a [u8]| [field.len().to_string().as_bytes(), b":", field, b"|"].concat();
    [b"2|".to_vec()].into_iter().chain(fields.into_iter().map(field)).flatten().collect()
}

fn signed(body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET_KEY.as_bytes()).unwrap();
    mac.update(body);
    let mac: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    [body, mac.as_bytes()].concat()
}
