//! The sessions with a tag, such as that of a log line.

use std::collections::HashSet;
use std::sync::Arc;

use super::all::AllSessions;
use super::entry::SessionEntry;
use crate::error::Error;
use crate::id::SessionId;
use crate::request::manager::Manager;
use crate::session::schema::Schema;
use crate::store::Lookup;

/// The number of walks for a session that is not found. A session that gets a new id during a walk
/// may be missed.
const WALKS: usize = 2;

/// Returns the live sessions with this tag.
pub(crate) async fn by_tag<D: Schema>(
    manager: &Arc<Manager>,
    tag: &str,
) -> Result<Vec<SessionEntry<D>>, Error> {
    let mut search = TagSearch::new(manager, tag);
    while search.step().await? {}
    Ok(search.found())
}

/// A search for the live sessions with a tag. Usually there is one, because a tag is random. But
/// nothing prevents two.
///
/// Walks over all keys of the store.
pub(crate) struct TagSearch<'a, D> {
    manager: &'a Arc<Manager>,
    tag: &'a str,
    walk: AllSessions<D>,
    walks: usize,
    found: Vec<SessionEntry<D>>,
    ids: HashSet<SessionId>,
}

impl<'a, D: Schema> TagSearch<'a, D> {
    pub(crate) fn new(manager: &'a Arc<Manager>, tag: &'a str) -> Self {
        let walk = AllSessions::with_tag(Arc::clone(manager), tag);
        Self { manager, tag, walk, walks: 1, found: Vec::new(), ids: HashSet::new() }
    }

    /// Takes a step. Returns whether there are more.
    pub(crate) async fn step(&mut self) -> Result<bool, Error> {
        let page = self.walk.step().await?.unwrap_or_default();
        let Self { found, ids, .. } = self;
        found.extend(page.into_iter().filter(|entry| ids.insert(*entry.id())));
        if !self.walk.is_over() {
            return Ok(true);
        }
        self.keep_live().await?;
        if !self.found.is_empty() || self.walks == WALKS {
            return Ok(false);
        }
        self.walk = AllSessions::with_tag(Arc::clone(self.manager), self.tag);
        self.walks += 1;
        Ok(true)
    }

    /// Returns the sessions found. The session created first comes first.
    pub(crate) fn found(self) -> Vec<SessionEntry<D>> {
        let mut found = self.found;
        found.sort_by_key(SessionEntry::created_at);
        found
    }

    /// Leaves out sessions that ended or got a new id during the walk.
    async fn keep_live(&mut self) -> Result<(), Error> {
        let mut live = Vec::with_capacity(self.found.len());
        for entry in &self.found {
            let left = self.manager.store().expires_in(entry.key()).await?;
            live.push(matches!(left, Lookup::Found(_)));
        }
        let mut live = live.into_iter();
        self.found.retain(|_| live.next() == Some(true));
        Ok(())
    }
}
