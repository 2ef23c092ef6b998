//! Values that are encrypted before they reach the store.

use bytes::Bytes;

use super::change_set::{ChangeSet, Encrypted, EncryptedField};
use super::handle::SessionHandle;
use super::manager::Manager;
use crate::encryption::{Encryption, Place, Unopened};
#[cfg(feature = "encryption")]
use crate::encryption::{indexed_beginning, is_sealed};
use crate::error::Error;
use crate::lifecycle::SessionMetadata;
use crate::store::{Action, Change};

/// A reply of the store, with the session that replied. Without a session, there is nothing to
/// decrypt.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) session: Option<SessionMetadata>,
}

/// Changes with encrypted values. Without the feature, there is no value of this type, so an
/// `Option` of it takes no room.
pub(super) struct SealedChanges<'a> {
    changes: Box<[Change<'a>]>,
    /// The encryption of one of the changes.
    _encryption: Encryption,
}

impl<'a> SealedChanges<'a> {
    /// Returns the changes with encrypted values, or else these.
    #[inline]
    pub(super) fn or<'s>(sealed: Option<&'s Self>, plain: &'s [Change<'a>]) -> &'s [Change<'a>] {
        sealed.map_or(plain, |sealed| &sealed.changes)
    }
}

/// Encrypts a value of a session.
///
/// # Errors
///
/// `is_config` if there is no key.
fn seal(
    manager: &Manager,
    session: &SessionMetadata,
    field: &EncryptedField,
    value: &[u8],
) -> Result<Bytes, Error> {
    let EncryptedField { name, index, encryption } = *field;
    let place = Place { identity: session.identity(), field: name };
    manager.encryption_keys(name)?.seal(encryption, place, index, value)
}

/// Decrypts a value of a session, which may be under any of these names. The first name is that of
/// the field.
///
/// # Errors
///
/// `is_config` if there is no key.
pub(crate) fn open(
    manager: &Manager,
    session: &SessionMetadata,
    encryption: Encryption,
    names: impl Iterator<Item = &'static str>,
    stored: &Bytes,
) -> Result<Result<Bytes, Unopened>, Error> {
    let mut opened = Err(Unopened::Altered);
    for name in names {
        let place = Place { identity: session.identity(), field: name };
        opened = manager.encryption_keys(name)?.open(encryption, place, stored);
        if opened != Err(Unopened::Altered) {
            break;
        }
    }
    Ok(opened)
}

/// A stored value and its newest form.
#[cfg(feature = "encryption")]
pub(crate) enum Resealed {
    /// With the plain value of an indexed field.
    IsNewest(Option<Bytes>),
    Unreadable,
    /// The value has an index that the schema does not declare.
    IndexedElsewhere,
    Value {
        plain: Bytes,
        sealed: Bytes,
    },
}

/// Encrypts a stored value again, unless it has the form that a write would give it.
///
/// # Errors
///
/// `is_config` if there is no key.
#[cfg(feature = "encryption")]
pub(crate) fn reseal(
    manager: &Manager,
    session: &SessionMetadata,
    field: &EncryptedField,
    names: impl Iterator<Item = &'static str>,
    stored: &Bytes,
) -> Result<Resealed, Error> {
    let keys = manager.encryption_keys(field.name)?;
    if field.encryption.writes_plain() && !is_sealed(stored) {
        return Ok(Resealed::IsNewest(field.index.map(|_| stored.clone())));
    }
    let has_newest_key = !field.encryption.writes_plain() && keys.has_newest_key(stored);
    match (field.index, indexed_beginning(stored)) {
        (None, _) if has_newest_key => return Ok(Resealed::IsNewest(None)),
        (None, Some(_)) => return Ok(Resealed::IndexedElsewhere),
        _ => {}
    }
    let Ok(plain) = open(manager, session, field.encryption, names, stored)? else {
        return Ok(Resealed::Unreadable);
    };
    // The digest may be that of another index.
    let is_in_its_list = |index| keys.beginnings(index, &plain).next() == indexed_beginning(stored);
    if has_newest_key && field.index.is_some_and(is_in_its_list) {
        return Ok(Resealed::IsNewest(Some(plain)));
    }
    let sealed = seal(manager, session, field, &plain)?;
    Ok(Resealed::Value { plain, sealed })
}

impl SessionHandle {
    /// Checks that the changes fit into the store and that the fields can be encrypted, before
    /// anything is planned.
    ///
    /// # Errors
    ///
    /// `is_too_large` if a stored value exceeds the limit, and `is_config` if there is no key.
    #[inline]
    pub(super) fn check_changes(&self, set: ChangeSet<'_>) -> Result<(), Error> {
        match set.encrypted {
            None => self.manager().size_limits().check_changes(set.changes),
            Some(encrypted) => self.check_encrypted_changes(set.changes, encrypted),
        }
    }

    #[cold]
    fn check_encrypted_changes(
        &self,
        changes: &[Change<'_>],
        encrypted: Encrypted<'_>,
    ) -> Result<(), Error> {
        let length = |field: &str, value: &Bytes| match encrypted.find(field) {
            Some(field) => field.sealed_len(value.len()),
            None => value.len(),
        };
        self.manager().size_limits().check_lengths(changes, length)?;
        self.manager().encryption_keys(encrypted.first_name()).map(|_| ())
    }

    /// Returns the changes with encrypted values, if a field is encrypted.
    #[inline]
    pub(super) fn sealed_changes<'a>(
        &self,
        session: &SessionMetadata,
        set: ChangeSet<'a>,
    ) -> Result<Option<SealedChanges<'a>>, Error> {
        match set.encrypted {
            Some(encrypted) => self.seal_changes(session, set.changes, encrypted).map(Some),
            None => Ok(None),
        }
    }

    #[cold]
    fn seal_changes<'a>(
        &self,
        session: &SessionMetadata,
        changes: &[Change<'a>],
        encrypted: Encrypted<'_>,
    ) -> Result<SealedChanges<'a>, Error> {
        let mut changes = changes.to_vec();
        for change in &mut changes {
            let Change::Set { field, value, .. } = change else { continue };
            if let Some(encrypted) = encrypted.find(field) {
                *value = seal(self.manager(), session, encrypted, value)?;
            }
        }
        Ok(SealedChanges { changes: changes.into(), _encryption: encrypted.encryption })
    }

    /// Returns the action as the store gets it.
    #[inline]
    pub(super) fn sealed_action(
        &self,
        session: &SessionMetadata,
        encrypted: Option<EncryptedField>,
        action: &Action,
    ) -> Result<Action, Error> {
        match encrypted {
            Some(encrypted) => self.seal_action(session, encrypted, action.clone()),
            None => Ok(action.clone()),
        }
    }

    #[cold]
    fn seal_action(
        &self,
        session: &SessionMetadata,
        encrypted: EncryptedField,
        mut action: Action,
    ) -> Result<Action, Error> {
        if let Action::Replace(Some(value))
        | Action::GetOrSet(value)
        | Action::CompareAndSet { value: Some(value), .. } = &mut action
        {
            *value = seal(self.manager(), session, &encrypted, value)?;
        }
        Ok(action)
    }
}
