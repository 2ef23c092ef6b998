//! Stand-ins without the feature `encryption`. The compiler leaves out all code that would use them.

use bytes::Bytes;

use super::{Place, Unopened};
use crate::error::Error;

/// The encryption of a field, which no field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {}

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

    pub(crate) fn open(&self, _: Encryption, _: Place<'_>, _: &Bytes) -> Result<Bytes, Unopened> {
        match *self {}
    }
}
