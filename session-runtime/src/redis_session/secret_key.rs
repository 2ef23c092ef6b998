//! The secret that the Python application signs its cookies with.

use std::fmt;

use serde::Deserialize;

use crate::error::Error;

/// The secret that the Python application signs its cookies with: taken as it is, as Python does. `Debug` shows nothing of it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct SecretKey(Box<str>);

impl SecretKey {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The bytes of the key. A short one is what the Python application has: it is used, with a warning.
    pub(super) fn expose(&self, format: &str) -> Result<&[u8], Error> {
        if self.0.is_empty() {
            return Err(Error::config(format!("the secret key (SECRET_KEY) of {format}'s cookies is empty")));
        }
        if self.0.len() < ENOUGH_BYTES {
            tracing::warn!(
                format,
                bytes = self.0.len(),
                "the secret key of the Python application's cookies is short: who guesses it can forge sessions"
            );
        }
        Ok(self.0.as_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// As for secrets of our own.
const ENOUGH_BYTES: usize = 32;
