//! A walk over all sessions.

use std::fmt;
use std::sync::Arc;
use std::vec;

use super::entry::SessionEntry;
use super::search::Found;
use super::walk::Walk;
use crate::error::Error;
use crate::operation::Operation;
use crate::request::manager::Manager;
use crate::session::schema::Schema;
use crate::telemetry::{OperationName, OperationSpan};

/// A walk over all live sessions of a prefix. Made by [`Sessions::all`](crate::Sessions::all).
pub struct AllSessions<D> {
    manager: Arc<Manager>,
    walk: Walk,
    page: vec::IntoIter<SessionEntry<D>>,
}

impl<D: Schema> AllSessions<D> {
    pub(crate) fn new(manager: Arc<Manager>) -> Self {
        Self { manager, walk: Walk::new(), page: Vec::new().into_iter() }
    }

    /// Creates a walk over the sessions with this tag.
    pub(super) fn with_tag(manager: Arc<Manager>, tag: &str) -> Self {
        Self { manager, walk: Walk::with_tag(tag), page: Vec::new().into_iter() }
    }

    /// Returns the next session, or `None` at the end.
    ///
    /// # Errors
    ///
    /// After an error, another call tries the same step again. So you can go on with the same walk,
    /// or begin a new walk.
    ///
    /// - [`Error::is_unavailable`]: a server cannot be reached. Of a cluster, every master is
    ///   needed.
    /// - [`Error::is_unsupported`]: a custom store cannot list its sessions.
    /// - Any other error: the Redis user lacks the permission `+scan` or `+info`.
    ///
    /// [`Error::is_unavailable`]: crate::Error::is_unavailable
    /// [`Error::is_unsupported`]: crate::Error::is_unsupported
    #[allow(clippy::should_implement_trait, reason = "the name that async iterators have")]
    pub fn next(&mut self) -> Operation<'_, Option<SessionEntry<D>>> {
        Operation::new(async {
            loop {
                if let Some(entry) = self.page.next() {
                    return Ok(Some(entry));
                }
                let Some(page) = self.step().await? else { return Ok(None) };
                self.page = page.into_iter();
            }
        })
    }

    /// Returns whether all steps were taken.
    pub(crate) fn is_over(&self) -> bool {
        self.walk.is_over()
    }

    /// Takes a step, and returns the sessions there. `None` at the end.
    pub(crate) async fn step(&mut self) -> Result<Option<Vec<SessionEntry<D>>>, Error> {
        let index = D::INDEXED.first().map_or("", |(index, _)| index);
        let step = self.walk.step(&self.manager, index, D::READ_NAMES);
        let span = OperationSpan::without_session(OperationName::All);
        let Some(found) = span.instrument(step).await? else { return Ok(None) };
        let entry = |one: Found| SessionEntry::new(&self.manager, one);
        Ok(Some(found.into_iter().map(entry).collect()))
    }
}

impl<D> fmt::Debug for AllSessions<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllSessions").finish_non_exhaustive()
    }
}
