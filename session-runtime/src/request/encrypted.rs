//! Values that are encrypted before they reach the store.

use bytes::Bytes;

use super::change_set::{ChangeSet, Encrypted, EncryptedField};
use super::handle::SessionHandle;
use super::manager::Manager;
#[cfg(feature = "encryption")]
use crate::encryption::indexed_beginning;
use crate::encryption::{Encryption, Place, Unopened};
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
pub(super) struct SealedChanges {
    changes: Box<[Change<'static>]>,
    /// The encryption of one of the changes.
    _encryption: Encryption,
}

impl SealedChanges {
    /// Returns the changes with encrypted values, or else these.
    #[inline]
    pub(super) fn or<'a>(
        sealed: Option<&'a Self>,
        plain: &'a [Change<'static>],
    ) -> &'a [Change<'static>] {
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
    IsNewest,
    Unreadable,
    Value { plain: Bytes, sealed: Bytes },
}

/// Encrypts a stored value again, unless the newest key has encrypted it.
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
    let has_newest_key = manager.encryption_keys(field.name)?.is_newest(field.index, stored);
    if has_newest_key && field.index.is_none() {
        return Ok(Resealed::IsNewest);
    }
    let Ok(plain) = open(manager, session, field.encryption, names, stored)? else {
        return Ok(Resealed::Unreadable);
    };
    let sealed = seal(manager, session, field, &plain)?;
    // The digest may be of another index.
    let is_newest = has_newest_key && indexed_beginning(stored) == indexed_beginning(&sealed);
    Ok(if is_newest { Resealed::IsNewest } else { Resealed::Value { plain, sealed } })
}

impl SessionHandle {
    /// Checks that the field can be encrypted, before anything is planned.
    #[inline]
    pub(super) fn check_encryption_key(
        &self,
        encrypted: Option<Encrypted<'_>>,
    ) -> Result<(), Error> {
        match encrypted {
            Some(fields) => self.manager().encryption_keys(fields.first_name()).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Returns the changes with encrypted values, if a field is encrypted.
    #[inline]
    pub(super) fn sealed_changes(
        &self,
        session: &SessionMetadata,
        set: ChangeSet<'_>,
    ) -> Result<Option<SealedChanges>, Error> {
        match set.encrypted {
            Some(encrypted) => self.seal_changes(session, set.changes, encrypted).map(Some),
            None => Ok(None),
        }
    }

    /// Encrypts a new value of a session.
    ///
    /// # Errors
    ///
    /// `is_too_large` if the encrypted value exceeds the limit.
    fn seal_new(
        &self,
        session: &SessionMetadata,
        field: &EncryptedField,
        value: &[u8],
    ) -> Result<Bytes, Error> {
        let sealed = seal(self.manager(), session, field, value)?;
        self.manager().size_limits().check_value(field.name, &sealed)?;
        Ok(sealed)
    }

    #[cold]
    fn seal_changes(
        &self,
        session: &SessionMetadata,
        changes: &[Change<'static>],
        encrypted: Encrypted<'_>,
    ) -> Result<SealedChanges, Error> {
        let mut changes = changes.to_vec();
        for change in &mut changes {
            let Change::Set { field, value, .. } = change else { continue };
            if let Some(encrypted) = encrypted.find(field) {
                *value = self.seal_new(session, encrypted, value)?;
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
            *value = self.seal_new(session, &encrypted, value)?;
        }
        Ok(action)
    }
}
