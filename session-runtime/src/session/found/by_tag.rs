//! The sessions with a tag, such as that of a log line.

use std::collections::HashSet;
use std::sync::Arc;

use super::all::AllSessions;
use super::entry::SessionEntry;
use crate::error::Error;
use crate::request::manager::Manager;
use crate::session::schema::Schema;
use crate::store::Lookup;

/// Returns the live sessions with this tag. Usually there is one, because a tag is random. But
/// nothing prevents two.
///
/// Walks over all keys of the store. A session that gets a new id during the walk may be missed, so
/// a walk without a result is repeated.
pub(crate) async fn by_tag<D: Schema>(
    manager: &Arc<Manager>,
    tag: &str,
) -> Result<Vec<SessionEntry<D>>, Error> {
    let mut found = walk(manager, tag).await?;
    if found.is_empty() {
        found = walk(manager, tag).await?;
    }
    if found.len() > 1 {
        found = still_live(manager, found).await?;
    }
    found.sort_by_key(SessionEntry::created_at);
    Ok(found)
}

async fn walk<D: Schema>(manager: &Arc<Manager>, tag: &str) -> Result<Vec<SessionEntry<D>>, Error> {
    let mut sessions = AllSessions::with_tag(Arc::clone(manager), tag);
    let (mut found, mut ids) = (Vec::new(), HashSet::new());
    while let Some(entry) = sessions.next().await? {
        if ids.insert(*entry.id()) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// Leaves out former ids of a session that got a new id during the walk.
async fn still_live<D: Schema>(
    manager: &Manager,
    found: Vec<SessionEntry<D>>,
) -> Result<Vec<SessionEntry<D>>, Error> {
    let mut live = Vec::with_capacity(found.len());
    for entry in found {
        if let Lookup::Found(_) = manager.store().expires_in(entry.key()).await? {
            live.push(entry);
        }
    }
    Ok(live)
}
