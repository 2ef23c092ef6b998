//! The part of a write that concerns indexes.

use std::fmt;
use std::num::NonZero;
use std::time::{Duration, SystemTime};

use super::IndexedValue;
use crate::id::{IndexKey, SessionId};

/// The part of a write that concerns indexes.
#[derive(Debug, Clone, Copy)]
pub struct Indexing<'a> {
    /// The id of the session, which becomes the entry.
    pub session: &'a SessionId,
    /// The time until the session's absolute deadline, more than zero.
    pub deadline_in: Duration,
    /// The changes of indexed fields. Each field is among the changes of the same write.
    pub changes: &'a [IndexChange<'a>],
}

/// A change of an indexed field.
#[derive(Debug, Clone)]
pub struct IndexChange<'a> {
    /// The name of the index.
    pub index: &'a str,
    /// The stored name of the field.
    pub field: &'a str,
    /// The entry for the new value. `None` if the write removes the field.
    pub entry: Option<IndexEntry>,
}

/// The entry for a new value of an indexed field. `Debug` does not show the value.
#[derive(Clone)]
pub struct IndexEntry {
    /// The key of the list.
    pub key: IndexKey,
    /// The new value. An action may keep another value instead, and adds no entry then.
    pub value: IndexedValue,
    /// The conditions of the login. Otherwise the write fails and changes nothing.
    pub guard: LoginGuard,
}

impl fmt::Debug for IndexEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexEntry").field("guard", &self.guard).finish_non_exhaustive()
    }
}

/// The conditions of a login.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoginGuard {
    /// Refuses the write with [`ended_since`] if the list was [marked] at this time or later, by
    /// the clock of the store. A time more than ten minutes ago is refused too.
    ///
    /// [`ended_since`]: super::StoreError::ended_since
    /// [marked]: super::SessionIndex::entries
    pub unless_ended_since: Option<SystemTime>,
    /// Refuses the write with [`too_many`] if the list already has this many other entries. Entries
    /// with the tag of this session do not count.
    ///
    /// [`too_many`]: super::StoreError::too_many
    pub at_most: Option<NonZero<u32>>,
}
