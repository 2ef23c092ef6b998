//! Values that are encrypted before they reach the store.

use std::borrow::Cow;

use bytes::Bytes;

use super::change_set::{ChangeSet, EncryptedField};
use super::handle::SessionHandle;
use super::manager::Manager;
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

/// Encrypts a value of a session.
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
    if manager.encryption_keys(field.name)?.is_newest(field.index, stored) {
        return Ok(Resealed::IsNewest);
    }
    let Ok(plain) = open(manager, session, field.encryption, names, stored)? else {
        return Ok(Resealed::Unreadable);
    };
    let sealed = seal(manager, session, field, &plain)?;
    Ok(Resealed::Value { plain, sealed })
}

impl SessionHandle {
    /// Checks that the fields can be encrypted, before anything is planned.
    #[inline]
    pub(super) fn check_encryption_keys(&self, encrypted: &[EncryptedField]) -> Result<(), Error> {
        encrypted
            .first()
            .map_or(Ok(()), |field| self.manager().encryption_keys(field.name).map(|_| ()))
    }

    /// Returns the changes as the store gets them.
    #[inline]
    pub(super) fn sealed_changes<'a>(
        &self,
        session: &SessionMetadata,
        set: ChangeSet<'a>,
    ) -> Result<Cow<'a, [Change<'static>]>, Error> {
        if set.encrypted.is_empty() {
            return Ok(Cow::Borrowed(set.changes));
        }
        self.sealed_changes_of_some(session, set).map(Cow::Owned)
    }

    #[cold]
    fn sealed_changes_of_some(
        &self,
        session: &SessionMetadata,
        set: ChangeSet<'_>,
    ) -> Result<Vec<Change<'static>>, Error> {
        let mut changes = set.changes.to_vec();
        for change in &mut changes {
            let Change::Set { field, value, .. } = change else { continue };
            if let Some(encrypted) = set.encrypted.iter().find(|one| one.name == *field) {
                *value = seal(self.manager(), session, encrypted, value)?;
            }
        }
        Ok(changes)
    }

    /// Returns the action as the store gets it.
    pub(super) fn sealed_action(
        &self,
        session: &SessionMetadata,
        encrypted: Option<&EncryptedField>,
        action: &Action,
    ) -> Result<Action, Error> {
        let mut action = action.clone();
        let Some(encrypted) = encrypted else { return Ok(action) };
        if let Action::Replace(Some(value))
        | Action::GetOrSet(value)
        | Action::CompareAndSet { value: Some(value), .. } = &mut action
        {
            *value = seal(self.manager(), session, encrypted, value)?;
        }
        Ok(action)
    }
}
