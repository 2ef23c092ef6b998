//! The walk over all sessions of the memory store.

use std::collections::BinaryHeap;
use std::sync::Arc;

use super::MemoryStore;
use super::entries::Entries;
use super::session_index::look_at;
use crate::id::SessionId;
use crate::store::{Lookup, Scan, ScanCursor, ScanPage, SessionKey, StoreError};

/// The largest number of sessions in a page.
const PAGE: usize = 500;

impl MemoryStore {
    /// Walks in the order of the keys, which does not change. Each page looks at the names of all
    /// entries.
    pub(crate) fn scan(&self, scan: Scan<'_>) -> Result<ScanPage, StoreError> {
        let from = scan.from.map_or("", ScanCursor::expose_secret);
        Ok(self.with_entries(|entries, now| {
            let names = first_names(entries, scan, from);
            let next = names.last().filter(|_| names.len() == PAGE);
            let next = next.map(|(name, _)| ScanCursor::new(&**name));
            let look = |(_, id): &(Arc<str>, SessionId)| {
                let key = SessionKey::new(scan.prefix, id);
                match look_at(entries, &key, scan.look, now) {
                    Lookup::Found(seen) => Some((*id, seen)),
                    Lookup::Missing | Lookup::Dead => None,
                }
            };
            ScanPage { sessions: names.iter().filter_map(look).collect(), next }
        }))
    }
}

/// Returns the first names of sessions past this name, in order.
fn first_names(entries: &Entries, scan: Scan<'_>, from: &str) -> Vec<(Arc<str>, SessionId)> {
    let id_in = |name: &str| SessionKey::id_in(scan.prefix, name);
    let is_needed =
        |name: &str| id_in(name).is_some_and(|id| scan.tag.is_none_or(|tag| id.tag() == tag));
    let mut first: BinaryHeap<&Arc<str>> = BinaryHeap::with_capacity(PAGE + 1);
    for name in entries.live_names().filter(|name| &***name > from) {
        let is_full = first.len() == PAGE;
        if is_full && first.peek().is_some_and(|last| *last < name) {
            continue;
        }
        if is_needed(name) {
            first.push(name);
            if is_full {
                first.pop();
            }
        }
    }
    let names = first.into_sorted_vec().into_iter();
    names.filter_map(|name| Some((Arc::clone(name), id_in(name)?))).collect()
}
