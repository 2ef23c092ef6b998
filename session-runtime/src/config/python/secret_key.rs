//! The secret key that signs the cookies of the Python application.

use std::fmt;

use serde::Deserialize;

use crate::config::secret::decode_base64;

/// The secret key that signs the cookies of the Python application. As in Python, the key is used
/// unchanged. `Debug` hides the key.
///
/// An empty key counts as missing.
#[derive(Clone, Default, Deserialize)]
#[serde(try_from = "SecretKeyInput")]
pub(crate) struct SecretKey(Box<[u8]>);

/// The forms of the key in a file.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`secret_key` must be a text, or a map with the key `base64`")]
enum SecretKeyInput {
    Text(String),
    Bytes(Base64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base64 {
    base64: String,
}

impl TryFrom<SecretKeyInput> for SecretKey {
    type Error = &'static str;

    fn try_from(given: SecretKeyInput) -> Result<Self, Self::Error> {
        match given {
            SecretKeyInput::Text(text) => Ok(Self::new(text)),
            SecretKeyInput::Bytes(Base64 { base64 }) => {
                decode_base64(&base64).map(Self::new).ok_or("`secret_key` is not base64")
            }
        }
    }
}

impl SecretKey {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into().into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the bytes of the key. A short key is used with a warning, because the Python
    /// application has no other key.
    pub(crate) fn expose(&self, format: &str) -> &[u8] {
        if self.is_short() {
            tracing::warn!(
                format,
                bytes = self.0.len(),
                "the secret key of the Python application's cookies is short: anyone who guesses \
                 the key can forge sessions"
            );
        }
        if self.0.contains(&b'\n') {
            tracing::warn!(
                format,
                "the secret key of the Python application's cookies contains a line break, which \
                 is part of the key: check that the key in Python has the line break too"
            );
        }
        &self.0
    }

    fn is_short(&self) -> bool {
        self.0.len() < ENOUGH_BYTES
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// The same minimum as for our own secrets.
const ENOUGH_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_32_bytes_are_short() {
        assert!(SecretKey::new("").is_empty() && !SecretKey::new("key").is_empty());
        assert!(SecretKey::new([7; 31]).is_short() && !SecretKey::new([7; 32]).is_short());
    }

    #[test]
    fn a_file_gives_text_or_bytes() {
        let read =
            |text: &str| serde_json::from_str::<SecretKey>(text).map(|key| key.expose("").to_vec());
        assert_eq!(read(r#""a text""#).unwrap(), b"a text");
        assert_eq!(read(r#"{ "base64": "AP8=" }"#).unwrap(), [0, 255]);
        assert!(read(r#"{ "base64": "*" }"#).is_err());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretKey::new("key")), "SecretKey(…)");
    }
}
