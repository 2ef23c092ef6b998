//! The lists of an index that may have the sessions with a value.

use bytes::Bytes;

use super::manager::Manager;
use crate::encryption::{Encryption, indexed_beginning, is_sealed};
use crate::error::Error;
use crate::id::IndexKey;
use crate::store::IndexedValue;

/// An indexed field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexedField {
    /// The name of the index.
    pub(crate) index: &'static str,
    /// The stored name.
    pub(crate) field: &'static str,
    /// The former stored name.
    pub(crate) alias: Option<&'static str>,
    pub(crate) encryption: Option<Encryption>,
}

impl IndexedField {
    /// Returns the names under which the value may be stored, the newest first.
    pub(crate) fn read_names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        [Some(self.field), self.alias].into_iter().flatten()
    }
}

/// A list of an index, with the values of its sessions.
pub(crate) struct IndexList {
    pub(crate) key: IndexKey,
    pub(crate) value: IndexedValue,
}

impl Manager {
    /// Returns the list that a new value of the field makes a session an entry of.
    ///
    /// # Errors
    ///
    /// `is_config` if the field is encrypted and there is no key.
    pub(crate) fn index_list(
        &self,
        field: IndexedField,
        value: &Bytes,
    ) -> Result<IndexList, Error> {
        let IndexedField { index, field: name, encryption, .. } = field;
        if encryption.is_none_or(Encryption::writes_plain) {
            return Ok(self.list_of_plain(index, value));
        }
        let mut beginnings = self.encryption_keys(name)?.beginnings(index, value);
        let newest = beginnings.next().unwrap_or_default();
        let key = self.index_key(index, &newest);
        Ok(IndexList { key, value: IndexedValue::beginning(newest, beginnings) })
    }

    /// Returns the other lists that may have sessions with this value, the oldest first: for an
    /// encrypted field, a list for each key and for plain text, besides the list of new values.
    ///
    /// # Errors
    ///
    /// `is_config` if the field is encrypted and there is no key.
    pub(crate) fn former_index_lists(
        &self,
        field: IndexedField,
        value: &Bytes,
    ) -> Result<Vec<IndexList>, Error> {
        let IndexedField { index, field: name, encryption, .. } = field;
        let Some(encryption) = encryption else { return Ok(Vec::new()) };
        let newest = usize::from(!encryption.writes_plain());
        let others = self.encryption_keys(name)?.beginnings(index, value).skip(newest);
        let mut lists: Vec<_> =
            others.map(|beginning| self.list_of_beginning(index, beginning)).collect();
        if encryption.accepts_plain() && !encryption.writes_plain() {
            lists.push(self.list_of_plain(index, value));
        }
        lists.reverse();
        Ok(lists)
    }

    /// Returns the list for a stored value. `None` for encrypted bytes without a digest, and for
    /// plain text that the field does not accept.
    pub(crate) fn index_list_of_stored(
        &self,
        field: IndexedField,
        stored: &Bytes,
    ) -> Option<IndexList> {
        let IndexedField { index, encryption, .. } = field;
        let Some(encryption) = encryption else { return Some(self.list_of_plain(index, stored)) };
        if is_sealed(stored) {
            return Some(self.list_of_beginning(index, indexed_beginning(stored)?));
        }
        encryption.accepts_plain().then(|| self.list_of_plain(index, stored))
    }

    fn list_of_plain(&self, index: &str, value: &Bytes) -> IndexList {
        let key = self.index_key(index, value);
        IndexList { key, value: IndexedValue::exact(value.clone()) }
    }

    fn list_of_beginning(&self, index: &str, beginning: Bytes) -> IndexList {
        let key = self.index_key(index, &beginning);
        IndexList { key, value: IndexedValue::beginning(beginning, []) }
    }
}
