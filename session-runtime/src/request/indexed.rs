//! Changes of indexed fields.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::handle::SessionHandle;
use super::index_list::{IndexList, IndexedField};
use crate::error::{Error, Kind};
use crate::lifecycle::SessionMetadata;
use crate::store::{IndexChange, IndexEntry, Indexing, LoginGuard};

/// A change of an indexed field. `None` removes the field.
#[derive(Clone)]
pub(crate) struct IndexedChange {
    pub(crate) field: IndexedField,
    pub(crate) value: Option<Bytes>,
    pub(crate) guard: LoginGuard,
}

impl IndexedChange {
    /// Creates a change without conditions.
    pub(crate) fn new(field: IndexedField, value: Option<Bytes>) -> Self {
        Self { field, value, guard: LoginGuard::default() }
    }
}

/// Shows the change without the value.
impl fmt::Debug for IndexedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexedChange").field("index", &self.field.index).finish_non_exhaustive()
    }
}

impl SessionHandle {
    /// Returns the changes of indexed fields as the store expects them.
    ///
    /// # Errors
    ///
    /// `is_unsupported` if the store has no index. `is_config` if a field is encrypted and there is
    /// no key.
    #[inline]
    pub(super) fn index_changes(
        &self,
        indexed: &[IndexedChange],
    ) -> Result<Vec<IndexChange<'static>>, Error> {
        if indexed.is_empty() { Ok(Vec::new()) } else { self.index_changes_of_some(indexed) }
    }

    #[cold]
    fn index_changes_of_some(
        &self,
        indexed: &[IndexedChange],
    ) -> Result<Vec<IndexChange<'static>>, Error> {
        if self.store().index().is_none() {
            return Err(Error::new(Kind::NoIndex));
        }
        indexed.iter().map(|change| self.index_change(change)).collect()
    }

    fn index_change(&self, change: &IndexedChange) -> Result<IndexChange<'static>, Error> {
        let IndexedChange { field, value, guard } = change;
        let entry = match value {
            Some(value) => {
                let IndexList { key, value } = self.manager().index_list(*field, value)?;
                Some(IndexEntry { key, value, guard: *guard })
            }
            None => None,
        };
        Ok(IndexChange { index: field.index, field: field.field, entry })
    }

    /// Gives up an earlier creation without a reply, if the session would become an entry too late.
    #[inline]
    pub(super) fn forget_old_creation(&self, changes: &[IndexChange<'_>]) {
        if !changes.is_empty() {
            self.lifecycle().forget_old_creation(self.manager().now());
        }
    }

    /// Returns the part of a write that concerns indexes.
    #[inline]
    pub(super) fn indexing<'a>(
        &self,
        session: &'a SessionMetadata,
        changes: &'a [IndexChange<'a>],
    ) -> Option<Indexing<'a>> {
        let session_id = &session.id;
        (!changes.is_empty()).then(|| Indexing {
            session: session_id,
            deadline_in: deadline_in(session, self.manager().now()),
            changes,
        })
    }
}

/// Returns the time until the absolute deadline, which is more than zero.
pub(super) fn deadline_in(session: &SessionMetadata, now: SystemTime) -> Duration {
    session.deadline_in(now).unwrap_or(Duration::from_millis(1))
}
