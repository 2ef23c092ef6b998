//! The parts of a stored value.

use bytes::Bytes;

/// The version of a value without a digest.
const PLAIN_VERSION: u8 = 0xF5;
/// The version of a value with a digest.
const INDEXED_VERSION: u8 = 0xF6;
pub(super) const NUMBER_LEN: usize = 4;
pub(super) const DIGEST_LEN: usize = 16;
pub(super) const NONCE_LEN: usize = 24;
pub(super) const TAG_LEN: usize = 16;
/// The longest part before the nonce.
pub(super) const MAX_HEADER_LEN: usize = 1 + NUMBER_LEN + DIGEST_LEN;

/// The parts before the nonce.
pub(super) struct Header {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
}

impl Header {
    pub(super) fn new(number: [u8; NUMBER_LEN], digest: Option<[u8; DIGEST_LEN]>) -> Self {
        let mut bytes = [0; MAX_HEADER_LEN];
        bytes[0] = if digest.is_some() { INDEXED_VERSION } else { PLAIN_VERSION };
        bytes[1..][..NUMBER_LEN].copy_from_slice(&number);
        bytes[1 + NUMBER_LEN..].copy_from_slice(&digest.unwrap_or_default());
        Self { bytes, len: 1 + NUMBER_LEN + digest.map_or(0, |_| DIGEST_LEN) }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A stored value, split into its parts.
pub(super) struct Sealed<'a> {
    pub(super) header: &'a [u8],
    pub(super) number: [u8; NUMBER_LEN],
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) ciphertext: &'a [u8],
    pub(super) tag: [u8; TAG_LEN],
}

impl<'a> Sealed<'a> {
    /// Returns the parts, or `None` for a value that is too short.
    pub(super) fn parse(stored: &'a [u8]) -> Option<Self> {
        let (header, rest) = stored.split_at_checked(header_len(stored)?)?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        let number = *header[1..].first_chunk()?;
        Some(Self { header, number, nonce: *nonce, ciphertext, tag: *tag })
    }
}

/// Returns the length of a stored value with a text of this length.
pub(super) fn sealed_len(padded: usize, has_index: bool) -> usize {
    let header = 1 + NUMBER_LEN + if has_index { DIGEST_LEN } else { 0 };
    header + NONCE_LEN + padded + TAG_LEN
}

/// Returns whether a stored value is an encrypted value, or a part of one.
pub(crate) fn is_sealed(stored: &[u8]) -> bool {
    header_len(stored).is_some()
}

/// Returns the beginning that all stored forms of a value in an index have under one key. `None`
/// without a digest.
pub(crate) fn indexed_beginning(stored: &Bytes) -> Option<Bytes> {
    let is_indexed = stored.first() == Some(&INDEXED_VERSION) && stored.len() >= MAX_HEADER_LEN;
    is_indexed.then(|| stored.slice(..MAX_HEADER_LEN))
}

fn header_len(stored: &[u8]) -> Option<usize> {
    match *stored.first()? {
        PLAIN_VERSION => Some(1 + NUMBER_LEN),
        INDEXED_VERSION => Some(MAX_HEADER_LEN),
        _ => None,
    }
}
