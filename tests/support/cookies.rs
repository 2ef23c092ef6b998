//! Cookies and bearer tokens that the tests create independently, by the documented format.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The secret of the suite's programs.
pub const SECRET: &str = "hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625";
/// Another secret, older or newer, or of another program.
pub const OTHER_SECRET: &str =
    "hex:00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";
const SECRET_BYTES: [u8; 32] = [
    0x8f, 0x1d, 0x0f, 0x3c, 0x6b, 0x2a, 0x4e, 0x5d, 0x9c, 0x7b, 0x8a, 0x69, 0x58, 0x47, 0x36, 0x25,
    0x14, 0x13, 0xf2, 0xe1, 0xd0, 0xcf, 0xbe, 0xad, 0x9c, 0x8b, 0x7a, 0x69, 0x58, 0x47, 0x36, 0x25,
];
/// The name of the cookie of the suite's programs.
pub const NAME: &str = "__Host-session-id";

/// Returns a new id with this creation time and class.
pub fn id(created_at: SystemTime, class: u8) -> String {
    let mut bytes = [0; 30];
    getrandom::fill(&mut bytes).unwrap();
    let seconds = created_at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    bytes[6..11].copy_from_slice(&seconds.to_be_bytes()[3..]);
    bytes[11] = class;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns `NAME=ID.MAC`, signed with [`SECRET`] for the cookie of the suite's programs.
pub fn cookie(id: &str) -> String {
    format!("{NAME}={}", signed(id, b"session-runtime cookie signature v1"))
}

/// Returns `ID.MAC`, signed with [`SECRET`] as a bearer token of the suite's programs.
pub fn token(id: &str) -> String {
    signed(id, b"session-runtime bearer token signature v1")
}

/// Returns `ID.MAC`, with a key for this purpose.
fn signed(id: &str, label: &[u8]) -> String {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, &SECRET_BYTES).expand(label, &mut key).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(&[NAME.as_bytes(), b"\0", id.as_bytes()].concat());
    format!("{id}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Returns the id in a `Cookie` pair, a `Set-Cookie` header or a bearer token.
pub fn id_of(credential: &str) -> String {
    let pair = credential.split(';').next().unwrap();
    let value = pair.split_once('=').map_or(pair, |(_, value)| value);
    value.split('.').next().unwrap().to_owned()
}

/// Returns the store key for the session of a cookie or bearer token.
pub fn key_of(credential: &str) -> String {
    let id = id_of(credential);
    let (tag, rest) = id.split_at(8);
    format!("app:sessions:{{{tag}}}{rest}")
}
