//! Stand-ins without the feature `encryption`. The compiler leaves out all code that uses them.

use bytes::Bytes;

use super::{Place, Unopened};
use crate::error::Error;

/// The encryption of a field, which no field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {}

impl Encryption {
    pub(crate) fn accepts_plain(self) -> bool {
        match self {}
    }

    pub(crate) fn writes_plain(self) -> bool {
        match self {}
    }

    pub(crate) fn sealed_len(self, _: usize, _: bool) -> usize {
        match self {}
    }
}

/// Returns `false`, because there are no encrypted values.
pub(crate) fn is_sealed(_: &[u8]) -> bool {
    false
}

/// Returns `None`, because there are no encrypted values.
pub(crate) fn indexed_beginning(_: &Bytes) -> Option<Bytes> {
    None
}

/// The keys of encrypted fields, of which there are none.
#[derive(Debug)]
pub(crate) enum EncryptionKeys {}

impl EncryptionKeys {
    pub(crate) fn seal(
        &self,
        _: Encryption,
        _: Place<'_>,
        _: Option<&str>,
        _: &[u8],
    ) -> Result<Bytes, Error> {
        match *self {}
    }

    pub(crate) fn beginnings(&self, _: &str, _: &[u8]) -> std::vec::IntoIter<Bytes> {
        match *self {}
    }

    pub(crate) fn open(&self, _: Encryption, _: Place<'_>, _: &Bytes) -> Result<Bytes, Unopened> {
        match *self {}
    }
}
