//! The changes of one step.

use super::indexed::IndexedChange;
use crate::encryption::Encryption;
use crate::store::Change;

/// The changes of one step, and what some of them need.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChangeSet<'a> {
    pub(crate) changes: &'a [Change<'a>],
    /// The changes once more, if the names of all fields last. Later writes of the request are
    /// cheaper if the fields are known.
    pub(crate) lasting: &'a [Change<'static>],
    /// The changes of indexed fields once more.
    pub(crate) indexed: &'a [IndexedChange],
    /// The fields whose new values have to be encrypted, if any.
    pub(crate) encrypted: Option<Encrypted<'a>>,
}

/// A reference to fields whose new values have to be encrypted. Without the feature, an `Option` of
/// it takes no room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encrypted<'a> {
    fields: &'a EncryptedFields,
    /// The encryption of the first field.
    pub(crate) encryption: Encryption,
}

impl Encrypted<'_> {
    pub(crate) fn first_name(&self) -> &'static str {
        self.fields.first.name
    }

    /// Returns the field with this name, as it was added last.
    pub(crate) fn find(&self, name: &str) -> Option<&EncryptedField> {
        let mut all = self.fields.others.iter().rev().chain([&self.fields.first]);
        all.find(|field| field.name == name)
    }
}

/// The fields whose new values have to be encrypted. Without the feature, there is no value of this
/// type, so an `Option` of it takes no room.
#[derive(Debug)]
pub(crate) struct EncryptedFields {
    first: EncryptedField,
    others: Vec<EncryptedField>,
}

impl EncryptedFields {
    pub(crate) fn add(fields: &mut Option<Self>, field: EncryptedField) {
        match fields {
            Some(fields) => fields.others.push(field),
            None => *fields = Some(Self { first: field, others: Vec::new() }),
        }
    }

    /// Drops the fields with these names.
    pub(crate) fn forget(fields: &mut Option<Self>, is_forgotten: impl Fn(&str) -> bool) {
        let Some(Self { first, others }) = fields.take() else { return };
        for field in [first].into_iter().chain(others) {
            if !is_forgotten(field.name) {
                Self::add(fields, field);
            }
        }
    }

    pub(crate) fn as_ref(&self) -> Encrypted<'_> {
        Encrypted { fields: self, encryption: self.first.encryption }
    }
}

/// A field with values that have to be encrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncryptedField {
    pub(crate) name: &'static str,
    /// The name of the field's index, if any.
    pub(crate) index: Option<&'static str>,
    pub(crate) encryption: Encryption,
}

impl EncryptedField {
    /// Returns the length of a value in the store.
    pub(crate) fn sealed_len(&self, len: usize) -> usize {
        self.encryption.sealed_len(len, self.index.is_some())
    }
}
