//! The label of a session: the lists of its entries.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::id::IndexKey;
use crate::store::{IndexChange, SessionKey};

/// The name of the field with the label of a session. No schema can have a field of this name.
pub(in super::super) const LABEL_FIELD: &str = "\0";
/// The time of a sign-in that is unknown, see `restore_entry.lua`.
const UNKNOWN: u64 = 0;

/// The label of a session: for each index the hash of the list, the stored name of the field, and
/// the time of the sign-in in milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Label(BTreeMap<String, (String, String, u64)>);

/// An index that has a session.
#[cfg(feature = "cli")]
pub(crate) struct SessionInIndex {
    pub(crate) index: String,
    /// The stored name of the field.
    pub(crate) field: String,
    /// The time of the last write of the field, if known.
    pub(crate) signed_in_at: Option<SystemTime>,
}

/// An entry of a session in a list.
pub(super) struct LabelledEntry<'a> {
    pub(super) index: &'a str,
    pub(super) field: &'a str,
    pub(super) list: IndexKey,
}

impl Label {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(serde_json::from_slice(text).unwrap_or_default())
    }

    pub(super) fn signed_in_at(&self, index: &str) -> Option<SystemTime> {
        let (_, _, milliseconds) = self.0.get(index).filter(|(.., at)| *at != UNKNOWN)?;
        UNIX_EPOCH.checked_add(Duration::from_millis(*milliseconds))
    }

    /// Returns the indexes of the session, in the order of their names.
    #[cfg(feature = "cli")]
    pub(super) fn indexes(&self) -> Vec<SessionInIndex> {
        let index = |(index, (_, field, _)): (&String, &(String, String, u64))| SessionInIndex {
            index: index.clone(),
            field: field.clone(),
            signed_in_at: self.signed_in_at(index),
        };
        self.0.iter().map(index).collect()
    }

    /// Returns the entries of the session, besides those in indexes that change.
    pub(super) fn entries<'a>(
        &'a self,
        key: &'a SessionKey,
        changes: &'a [IndexChange<'_>],
    ) -> impl Iterator<Item = LabelledEntry<'a>> {
        let stays = |index: &str| changes.iter().all(|change| change.index != index);
        self.0.iter().filter(move |(index, _)| stays(index)).map(|(index, (hash, field, _))| {
            LabelledEntry { index, field, list: IndexKey::beside(key, hash) }
        })
    }
}
