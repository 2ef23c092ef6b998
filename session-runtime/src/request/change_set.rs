//! The changes of one step.

use super::indexed::IndexedChange;
use crate::encryption::Encryption;
use crate::store::Change;

/// The changes of one step, and what some of them need.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChangeSet<'a> {
    pub(crate) changes: &'a [Change<'static>],
    /// The changes of indexed fields once more.
    pub(crate) indexed: &'a [IndexedChange],
    /// The fields whose new values have to be encrypted.
    pub(crate) encrypted: &'a [EncryptedField],
}

/// A field with values that have to be encrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncryptedField {
    pub(crate) name: &'static str,
    /// The name of the field's index, if any.
    pub(crate) index: Option<&'static str>,
    pub(crate) encryption: Encryption,
}
