//! Conversion of a whole struct from stored values and to changes.

use std::fmt;
use std::vec;

use bytes::Bytes;

use crate::encryption::{Encryption, Unopened};
use crate::error::Error;
use crate::lifecycle::SessionMetadata;
use crate::request::change_set::{ChangeSet, EncryptedField, EncryptedFields};
use crate::request::encrypted::{Answer, open};
use crate::request::index_list::IndexedField;
use crate::request::indexed::IndexedChange;
use crate::request::manager::Manager;
use crate::store::Change;
use crate::value::FieldSpec;

/// The stored values of a schema's fields, in the order of
/// [`Schema::READ_NAMES`](crate::Schema::READ_NAMES).
///
/// `Debug` does not show the values.
pub struct Values<'a> {
    manager: &'a Manager,
    session: Option<SessionMetadata>,
    stored: vec::IntoIter<Option<Bytes>>,
}

impl<'a> Values<'a> {
    /// Creates the list of values, with `None` for each missing field.
    pub(crate) fn new(manager: &'a Manager, answer: Answer<Vec<Option<Bytes>>>) -> Self {
        Self { manager, session: answer.session, stored: answer.value.into_iter() }
    }

    /// Returns the next field's value. Past the end, fields count as missing.
    pub fn take<T>(&mut self, spec: &FieldSpec<T>) -> Result<T, Error> {
        let stored = self.next();
        let moved = spec.alias().and_then(|_| self.next());
        read(spec, self.manager, self.session.as_ref(), stored.or(moved))
    }

    /// Returns the next field's value, decrypted but not decoded.
    ///
    /// # Errors
    ///
    /// `is_decode` if the value cannot be decrypted, and `is_config` if there is no key.
    pub(crate) fn take_plain<T>(&mut self, spec: &FieldSpec<T>) -> Result<Option<Bytes>, Error> {
        let stored = self.next();
        let moved = spec.alias().and_then(|_| self.next());
        let Some(stored) = stored.or(moved) else { return Ok(None) };
        let Some(encryption) = spec.encryption() else { return Ok(Some(stored)) };
        let opened = opened(spec, self.manager, self.session.as_ref(), encryption, &stored)?;
        opened.map(Some).map_err(|unopened| spec.not_opened(unopened))
    }

    fn next(&mut self) -> Option<Bytes> {
        self.stored.next().flatten()
    }
}

/// Decrypts and decodes a stored value of a session.
pub(crate) fn read<T>(
    spec: &FieldSpec<T>,
    manager: &Manager,
    session: Option<&SessionMetadata>,
    stored: Option<Bytes>,
) -> Result<T, Error> {
    let (Some(encryption), Some(stored)) = (spec.encryption(), &stored) else {
        return spec.read(stored);
    };
    spec.read_opened(opened(spec, manager, session, encryption, stored)?)
}

/// Decrypts a stored value.
fn opened<T>(
    spec: &FieldSpec<T>,
    manager: &Manager,
    session: Option<&SessionMetadata>,
    encryption: Encryption,
    stored: &Bytes,
) -> Result<Result<Bytes, Unopened>, Error> {
    match session {
        Some(session) => open(manager, session, encryption, spec.read_names(), stored),
        None => Ok(Err(Unopened::Altered)),
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}

/// The changes that store a struct in a session.
#[derive(Debug, Default)]
pub struct Changes {
    changes: Vec<Change<'static>>,
    /// The changes of indexed fields once more.
    indexed: Vec<IndexedChange>,
    encrypted: Option<EncryptedFields>,
}

impl Changes {
    /// Adds changes that set a field. A value that equals a missing field removes the field
    /// instead. The former name of the field is removed as well.
    pub fn set<T>(&mut self, spec: &FieldSpec<T>, value: &T) -> Result<(), Error> {
        let field = spec.name();
        let value = spec.write(value)?;
        self.indexed.extend(indexed_change(spec, value.as_ref()));
        if let Some(field) = encrypted_field(spec) {
            EncryptedFields::add(&mut self.encrypted, field);
        }
        self.changes.push(match value {
            Some(value) => Change::Set { field, value, ttl: spec.ttl() },
            None => Change::Remove { field },
        });
        self.changes.extend(spec.alias().map(|field| Change::Remove { field }));
        Ok(())
    }

    /// Adds changes that remove a field, under the present and the former name.
    pub(crate) fn remove<T>(&mut self, spec: &FieldSpec<T>) {
        self.indexed.extend(indexed_change(spec, None));
        self.changes.extend(spec.read_names().map(|field| Change::Remove { field }));
    }

    /// Drops the earlier changes of a field.
    pub(crate) fn forget<T>(&mut self, spec: &FieldSpec<T>) {
        self.changes.retain(|earlier| spec.read_names().all(|name| earlier.field() != name));
        self.indexed.retain(|earlier| spec.read_names().all(|name| earlier.field.field != name));
        let is_forgotten = |earlier: &str| spec.read_names().any(|name| name == earlier);
        EncryptedFields::forget(&mut self.encrypted, is_forgotten);
    }

    /// Adds changes that remove the fields of a schema.
    pub(crate) fn remove_all(
        &mut self,
        names: &'static [&'static str],
        indexed: &'static [(&'static str, &'static str)],
    ) {
        self.changes.extend(names.iter().map(|field| Change::Remove { field }));
        let removal = |&(index, field)| {
            let field = IndexedField { index, field, alias: None, encryption: None };
            IndexedChange::new(field, None)
        };
        self.indexed.extend(indexed.iter().map(removal));
    }

    pub(crate) fn indexed_mut(&mut self) -> &mut [IndexedChange] {
        &mut self.indexed
    }

    /// Returns the changes. Each changes a different field.
    pub fn into_vec(self) -> Vec<Change<'static>> {
        self.changes
    }

    /// Returns the changes, together with those of indexed fields.
    pub(crate) fn as_set(&self) -> ChangeSet<'_> {
        let Self { changes, indexed, encrypted } = self;
        ChangeSet {
            changes,
            lasting: changes,
            indexed,
            encrypted: encrypted.as_ref().map(EncryptedFields::as_ref),
        }
    }
}

/// Returns the encryption of a field, if its values are encrypted.
pub(crate) fn encrypted_field<T>(spec: &FieldSpec<T>) -> Option<EncryptedField> {
    let encryption = spec.encryption()?;
    Some(EncryptedField { name: spec.name(), index: spec.index(), encryption })
}

/// Returns the change of an indexed field.
pub(crate) fn indexed_change<T>(
    spec: &FieldSpec<T>,
    value: Option<&Bytes>,
) -> Option<IndexedChange> {
    Some(IndexedChange::new(indexed_as(spec, spec.index()?), value.cloned()))
}

/// Returns a field with an index of this name.
pub(crate) fn indexed_as<T>(spec: &FieldSpec<T>, index: &'static str) -> IndexedField {
    let (field, alias, encryption) = (spec.name(), spec.alias(), spec.encryption());
    IndexedField { index, field, alias, encryption }
}
