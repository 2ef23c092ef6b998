//! The secrets that sign cookies, and the keys of encrypted fields.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::weak;
use crate::error::Error;
use crate::error::Setting;
use crate::random::fill_random;

/// The secrets as given, separated by commas. `Debug` hides them.
#[derive(Clone)]
pub(super) struct SecretText(String);

/// The forms of a setting in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum SecretInput {
    One(String),
    List(Vec<String>),
    Other(IgnoredAny),
}

impl SecretText {
    /// Reads the setting `secret` in a file.
    pub(super) fn of_secret<'de, D>(deserializer: D) -> Result<Option<Self>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Self::read(deserializer, "`secret` must be a text or a list of texts")
    }

    /// Reads the setting `encryption_keys` in a file.
    #[cfg(feature = "encryption")]
    pub(super) fn of_encryption_keys<'de, D>(deserializer: D) -> Result<Option<Self>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Self::read(deserializer, "`encryption_keys` must be a text or a list of texts")
    }

    /// Reads a text or a list. The errors of serde would quote any other value.
    fn read<'de, D>(deserializer: D, refusal: &str) -> Result<Option<Self>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(match Option::deserialize(deserializer)? {
            Some(SecretInput::One(text)) => Some(Self(text)),
            Some(SecretInput::List(texts)) => Some(Self(texts.join(","))),
            Some(SecretInput::Other(_)) => return Err(D::Error::custom(refusal)),
            None => None,
        })
    }
}

/// The reason to refuse encryption keys without the feature. The program would start and encrypt
/// nothing.
#[cfg(any(test, not(feature = "encryption")))]
pub(super) const NEEDS_ENCRYPTION: &str =
    "needs the crate feature `encryption`: without it, no field is encrypted";

/// Refuses keys in a file.
#[cfg(not(feature = "encryption"))]
pub(super) fn refuse_encryption_keys<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(D::Error::custom(format_args!("`encryption_keys` {NEEDS_ENCRYPTION}")))
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A secret of at least 32 bytes that does not look like a placeholder. `Debug` hides the bytes.
#[derive(Clone)]
pub(crate) struct Secret(Box<[u8]>);

/// Erases the bytes.
#[cfg(feature = "encryption")]
impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut *self.0);
    }
}

impl Secret {
    /// Generates a random secret for the life of the process.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = Box::new([0; LEAST_BYTES]);
        fill_random(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// Returns the bytes to derive keys from.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Parses the secrets, the newest first. The list is empty if none are given.
    pub(super) fn resolve(given: Option<SecretText>) -> Result<Vec<Self>, Error> {
        Self::parse_list(given, Setting::SECRET)
    }

    /// Parses the keys of encrypted fields, the newest first. The list is empty if none are given.
    #[cfg(feature = "encryption")]
    pub(super) fn resolve_encryption_keys(given: Option<SecretText>) -> Result<Vec<Self>, Error> {
        let keys = Self::parse_list(given, Setting::ENCRYPTION_KEYS)?;
        let is_repeated =
            |(at, key): (usize, &Self)| keys[..at].iter().any(|other| other.0 == key.0);
        if keys.iter().enumerate().any(is_repeated) {
            return Err(Setting::ENCRYPTION_KEYS.invalid("names the same key twice"));
        }
        Ok(keys)
    }

    fn parse_list(given: Option<SecretText>, setting: Setting) -> Result<Vec<Self>, Error> {
        let Some(SecretText(texts)) = given else { return Ok(Vec::new()) };
        let secrets = texts.split(',').map(|text| Self::parse(text.trim()));
        secrets.collect::<Result<_, _>>().map_err(|reason| invalid(setting, reason))
    }

    /// Parses one secret. An error is the reason, which quotes no part of the secret.
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(['\n', '\r']) {
            return Err("contains a line break: join the lines, and use commas between secrets");
        }
        if text.starts_with(['"', '\''])
            && ["base64:", "hex:"].iter().any(|kind| text[1..].starts_with(kind))
        {
            return Err("is in quotes: remove them");
        }
        let bytes = decode(text)?;
        if bytes.is_empty() {
            return Err("is empty");
        }
        if bytes.len() < LEAST_BYTES {
            return Err("is too short: at least 32 bytes are needed");
        }
        match weak::why(&bytes) {
            Some(reason) => Err(reason),
            None => Ok(Self(bytes.into())),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn decode(text: &str) -> Result<Vec<u8>, &'static str> {
    if let Some(digits) = text.strip_prefix("base64:") {
        decode_base64(digits).ok_or("must have valid base64 after `base64:`")
    } else if let Some(digits) = text.strip_prefix("hex:") {
        hex(digits.as_bytes()).ok_or("must have pairs of hexadecimal digits after `hex:`")
    } else {
        Ok(text.into())
    }
}

/// Decodes base64 in either alphabet, with or without padding.
pub(crate) fn decode_base64(digits: &str) -> Option<Vec<u8>> {
    let engine = if digits.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(digits).ok()
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(16 * digit(*high)? + digit(*low)?);
    pairs.iter().map(byte).collect::<Option<_>>().filter(|_| rest.is_empty())
}

/// Returns an error that explains how to make a good secret, without a part of the bad secret.
fn invalid(setting: Setting, reason: &str) -> Error {
    setting.invalid(format!("{reason}; generate a secret with `openssl rand -base64 32`"))
}

/// The output size of HMAC-SHA-256. RFC 2104, section 3, discourages shorter keys.
const LEAST_BYTES: usize = 32;

const STANDARD: GeneralPurpose = engine(&alphabet::STANDARD);
const URL_SAFE: GeneralPurpose = engine(&alphabet::URL_SAFE);

const fn engine(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}
