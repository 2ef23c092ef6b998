//! The name of an index entry's list in the store.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

#[cfg(feature = "redis")]
use crate::id::SessionKey;
#[cfg(feature = "redis")]
use crate::id::slot::StoredKey;

/// Distinguishes this use of SHA-256 from others.
const LABEL: &[u8] = b"session index 1";
/// The bytes of the hash that are used.
const HASH_BYTES: usize = 16;

/// The name of the list of sessions with one value in an indexed field: `PREFIX:sessions:by:HASH`.
///
/// The hash has 22 characters: base64url of the first 16 bytes of SHA-256 over the name of the
/// index and the stored value. The hash hides no value that can be guessed, such as a number. It
/// needs no key, so a new secret loses no sessions. `Debug` does not show the hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IndexKey {
    text: Box<str>,
    hash_at: usize,
}

impl IndexKey {
    /// Creates the key for a value in the index of this name. The prefix is not checked here.
    pub fn new(prefix: &str, index: &str, value: &[u8]) -> Self {
        let hash = Sha256::new()
            .chain_update(LABEL)
            .chain_update([0])
            .chain_update(index)
            .chain_update([0])
            .chain_update(value)
            .finalize();
        Self::from_hash(
            &[prefix, ":sessions:"].concat(),
            &URL_SAFE_NO_PAD.encode(&hash[..HASH_BYTES]),
        )
    }

    /// Returns the key with this hash and the prefix of a session's key.
    #[cfg(feature = "redis")]
    pub(crate) fn beside(key: &SessionKey, hash: &str) -> Self {
        Self::from_hash(key.prefix(), hash)
    }

    fn from_hash(prefix: &str, hash: &str) -> Self {
        let text = [prefix, "by:", hash].concat();
        Self { hash_at: text.len() - hash.len(), text: text.into() }
    }

    /// Returns the common beginning of all keys with this prefix.
    #[cfg(feature = "redis")]
    pub(crate) fn prefix(&self) -> &str {
        self.text[..self.hash_at].strip_suffix("by:").unwrap_or_default()
    }

    /// Returns the whole key.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the hash, which is the last part of the key.
    pub fn hash(&self) -> &str {
        &self.text[self.hash_at..]
    }
}

#[cfg(feature = "redis")]
impl StoredKey for IndexKey {
    fn hash_tag(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hashlib` and `base64`.
    #[test]
    fn format_is_pinned() {
        let key = IndexKey::new("app", "user", b"42");
        assert_eq!(key.as_str(), "app:sessions:by:2-xPorlu_EqeiAgT3dSf-g");
        assert_eq!(key.hash(), "2-xPorlu_EqeiAgT3dSf-g");
        assert_eq!(format!("{key:?}"), "IndexKey(…)");
    }

    #[test]
    fn names_and_values_are_kept_apart() {
        let hash = |index, value| IndexKey::new("app", index, value).hash().to_owned();
        assert_ne!(hash("user", b"42"), hash("user", b"43"));
        assert_ne!(hash("user", b"42"), hash("tenant", b"42"));
        assert_ne!(hash("ab", b"c"), hash("a", b"bc"));
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_key_beside_a_session_has_the_same_prefix() {
        let id = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0".parse().unwrap();
        let key = IndexKey::new("a:b", "user", b"42");
        assert_eq!(IndexKey::beside(&SessionKey::new("a:b", &id), key.hash()), key);
    }
}
