//! The keys that encrypt fields.

use std::fmt;

use bytes::Bytes;
use chacha20poly1305::{AeadInOut, XChaCha20Poly1305};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::padding::{pad, padded_len, unpadded_len};
use super::sealed::{
    DIGEST_LEN, Header, MAX_HEADER_LEN, NONCE_LEN, NUMBER_LEN, Sealed, TAG_LEN, is_sealed,
};
use super::{Encryption, Place, Unopened};
use crate::error::{Error, Kind};
use crate::random::fill_random;

/// The purposes of the derived keys. Another use of the same secret must have another label.
const CIPHER_LABEL: &[u8] = b"session-runtime field encryption v1";
const NUMBER_LABEL: &[u8] = b"session-runtime field encryption number v1";
const INDEX_LABEL: &[u8] = b"session-runtime field index v1";
/// The longest text that XChaCha20-Poly1305 encrypts, about 256 GiB.
const MAX_LEN: usize = (u32::MAX as usize).saturating_mul(64);

/// The keys of encrypted fields. The first key encrypts, and all keys decrypt.
///
/// Keys are derived from the configured secrets by HKDF-SHA-256 ([RFC 5869]), without salt. Dropped
/// keys are erased.
///
/// [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869
pub(crate) struct EncryptionKeys {
    newest: Key,
    older: Vec<Key>,
}

struct Key {
    number: [u8; NUMBER_LEN],
    cipher: XChaCha20Poly1305,
    index: Hmac<Sha256>,
}

impl EncryptionKeys {
    /// Derives the keys from secrets, the newest first. Equal secrets count once.
    ///
    /// # Errors
    ///
    /// `is_config` if two secrets lead to keys of the same number. The chance is one in four
    /// thousand million.
    pub(crate) fn new<'a>(
        newest: &'a [u8],
        older: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, Error> {
        let (mut secrets, mut keys) = (vec![newest], Self::of(newest));
        for secret in older {
            if secrets.contains(&secret) {
                continue;
            }
            let key = Key::derive(secret);
            if keys.all().any(|other| other.number == key.number) {
                return Err(Error::config(
                    "two of the keys that encrypt fields have the same number by chance: replace \
                     one of them",
                ));
            }
            secrets.push(secret);
            keys.older.push(key);
        }
        Ok(keys)
    }

    fn of(newest: &[u8]) -> Self {
        Self { newest: Key::derive(newest), older: Vec::new() }
    }

    /// Encrypts a value for its place. `index` is the name of the field's index. With
    /// `write_plain`, returns the value as it is.
    ///
    /// # Errors
    ///
    /// Fails if the operating system returns no random numbers. `is_too_large` for a value beyond
    /// the limit of the cipher.
    pub(crate) fn seal(
        &self,
        encryption: Encryption,
        place: Place<'_>,
        index: Option<&str>,
        value: &[u8],
    ) -> Result<Bytes, Error> {
        if encryption.writes_plain() {
            return Ok(Bytes::copy_from_slice(value));
        }
        let mut nonce = [0; NONCE_LEN];
        fill_random(&mut nonce)?;
        let sealed = self.newest.seal(encryption, place, index, value, nonce);
        sealed.map(Bytes::from).ok_or_else(|| {
            let (what, size) = ("the value to encrypt".to_owned(), value.len());
            Error::new(Kind::TooLarge { what, size, limit: MAX_LEN })
        })
    }

    /// Decrypts a stored value. With `accept_plain`, returns plain text as it is.
    pub(crate) fn open(
        &self,
        encryption: Encryption,
        place: Place<'_>,
        stored: &Bytes,
    ) -> Result<Bytes, Unopened> {
        if !is_sealed(stored) {
            let is_accepted = encryption.accepts_plain();
            return if is_accepted { Ok(stored.clone()) } else { Err(Unopened::Plain) };
        }
        let sealed = Sealed::parse(stored).ok_or(Unopened::Altered)?;
        let key = self.all().find(|key| key.number == sealed.number);
        key.ok_or(Unopened::UnknownKey)?.open(place, &sealed)
    }

    /// Returns the beginnings of all stored forms of a value in an index, the newest key first.
    pub(crate) fn beginnings<'a>(
        &'a self,
        index: &'a str,
        value: &'a [u8],
    ) -> impl Iterator<Item = Bytes> + 'a {
        self.all().map(move |key| Bytes::copy_from_slice(key.header(Some(index), value).as_bytes()))
    }

    /// Returns whether the newest key has encrypted a stored value.
    pub(crate) fn has_newest_key(&self, stored: &[u8]) -> bool {
        Sealed::parse(stored).is_some_and(|sealed| sealed.number == self.newest.number)
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        [&self.newest].into_iter().chain(&self.older)
    }
}

impl Key {
    fn derive(secret: &[u8]) -> Self {
        let secret = Hkdf::<Sha256>::new(None, secret);
        // HKDF refuses more than 255 blocks of output, and each of these is a single block.
        let mut number = [0; NUMBER_LEN];
        let _ = secret.expand(NUMBER_LABEL, &mut number);
        let mut cipher_key = Zeroizing::new([0; 32]);
        let _ = secret.expand(CIPHER_LABEL, &mut *cipher_key);
        // A key of 32 bytes, padded with zeros to the block size of HMAC (RFC 2104).
        let mut index_key = Zeroizing::new([0; 64]);
        let _ = secret.expand(INDEX_LABEL, &mut index_key[..32]);
        Self {
            number,
            // Borrowed, because nothing would erase a copy.
            cipher: XChaCha20Poly1305::new((&*cipher_key).into()),
            index: Hmac::new((&*index_key).into()),
        }
    }

    fn header(&self, index: Option<&str>, value: &[u8]) -> Header {
        Header::new(self.number, index.map(|index| self.digest(index, value)))
    }

    /// Returns the keyed hash of a value in an index.
    fn digest(&self, index: &str, value: &[u8]) -> [u8; DIGEST_LEN] {
        let mac = self.index.clone().chain_update(index).chain_update([0]).chain_update(value);
        let mut digest = [0; DIGEST_LEN];
        digest.copy_from_slice(&mac.finalize().into_bytes()[..DIGEST_LEN]);
        digest
    }

    fn seal(
        &self,
        encryption: Encryption,
        place: Place<'_>,
        index: Option<&str>,
        value: &[u8],
        nonce: [u8; NONCE_LEN],
    ) -> Option<Vec<u8>> {
        let header = self.header(index, value);
        let begin = header.as_bytes().len() + NONCE_LEN;
        let padded = padded_len(value.len(), encryption.block());
        let mut sealed = Vec::with_capacity(begin + padded + TAG_LEN);
        sealed.extend_from_slice(header.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(value);
        pad(&mut sealed, value.len(), encryption.block());
        let data = associated_data(header.as_bytes(), place);
        let text = (&mut sealed[begin..]).into();
        let tag = self.cipher.encrypt_inout_detached(&nonce.into(), &data, text).ok()?;
        sealed.extend_from_slice(&tag);
        Some(sealed)
    }

    fn open(&self, place: Place<'_>, sealed: &Sealed<'_>) -> Result<Bytes, Unopened> {
        let mut value = sealed.ciphertext.to_vec();
        self.cipher
            .decrypt_inout_detached(
                &sealed.nonce.into(),
                &associated_data(sealed.header, place),
                value.as_mut_slice().into(),
                &sealed.tag.into(),
            )
            .map_err(|_| Unopened::Altered)?;
        value.truncate(unpadded_len(&value).ok_or(Unopened::Altered)?);
        Ok(value.into())
    }
}

fn associated_data(header: &[u8], place: Place<'_>) -> smallvec::SmallVec<[u8; 64]> {
    let parts = [header, place.identity, place.field.as_bytes()];
    debug_assert!(header.len() <= MAX_HEADER_LEN);
    parts.into_iter().flatten().copied().collect()
}

impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKeys({} keys)", 1 + self.older.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A value that another implementation encrypted.
    struct Vector {
        name: &'static str,
        secret: &'static str,
        identity: [u8; 8],
        field: &'static str,
        index: Option<&'static str>,
        block: u16,
        nonce: [u8; NONCE_LEN],
        value: Vec<u8>,
        stored: Vec<u8>,
    }

    impl Vector {
        fn place(&self) -> Place<'_> {
            Place { identity: &self.identity, field: self.field }
        }

        fn keys(&self) -> EncryptionKeys {
            EncryptionKeys::new(self.secret.as_bytes(), []).unwrap()
        }

        fn encryption(&self) -> Encryption {
            Encryption::new().pad(self.block)
        }
    }

    /// Made with Python's `cryptography`, see `tests/support/encryption.py`.
    fn vectors() -> Vec<Vector> {
        let vectors = include_str!("vectors.txt").split("\n\n").skip(1);
        vectors.map(|vector| parse(&vector.lines().filter_map(parts).collect())).collect()
    }

    fn parts(line: &'static str) -> Option<(&'static str, &'static str)> {
        Some(line.split_once(' ').unwrap_or((line, ""))).filter(|(key, _)| !key.is_empty())
    }

    fn parse(parts: &HashMap<&'static str, &'static str>) -> Vector {
        Vector {
            name: parts["name"],
            secret: parts["secret"],
            identity: parts["identity"].as_bytes().try_into().unwrap(),
            field: parts["field"],
            index: parts.get("index").copied(),
            block: parts["block"].parse().unwrap(),
            nonce: bytes(parts["nonce"]).try_into().unwrap(),
            value: bytes(parts["value"]),
            stored: bytes(parts["stored"]),
        }
    }

    fn bytes(digits: &str) -> Vec<u8> {
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (0..digits.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn values_of_another_implementation_open() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 22);
        for vector in vectors {
            let stored = Bytes::from(vector.stored.clone());
            let older = EncryptionKeys::new(b"newer", [vector.secret.as_bytes()]).unwrap();
            for keys in [vector.keys(), older] {
                let opened = keys.open(Encryption::new(), vector.place(), &stored);
                assert_eq!(opened.unwrap(), vector.value, "{}", vector.name);
            }
        }
    }

    #[test]
    fn format_is_pinned() {
        for vector in vectors() {
            let Vector { index, ref value, nonce, .. } = vector;
            let sealed =
                vector.keys().newest.seal(vector.encryption(), vector.place(), index, value, nonce);
            assert_eq!(sealed.unwrap(), vector.stored, "{}", vector.name);
        }
    }
}
