//! The index of the memory store.

use std::future::ready;
use std::time::{Duration, SystemTime};

use super::entries::{Entries, Entry, LiveEntry};
use super::indexes::MARKED_FOR;
use super::{MemoryStore, fields::Fields, refused};
use crate::clock::Clock;
use crate::id::{IndexKey, SessionId};
use crate::store::{
    BoxFuture, Destroyed, Ending, IndexChange, IndexProof, ListEntry, Listing, Look, Lookup,
    MissingEntry, Seen, SessionIndex, SessionKey, Stale, StoreError,
};

impl MemoryStore {
    pub(crate) fn session_index(&self) -> Option<&dyn SessionIndex> {
        Some(self)
    }
}

impl SessionIndex for MemoryStore {
    fn entries<'a>(
        &'a self,
        key: &'a IndexKey,
        mark: bool,
    ) -> BoxFuture<'a, Result<Listing, StoreError>> {
        Box::pin(async move {
            let sessions = self.with_entries(|entries, now| {
                if mark {
                    entries.indexes.mark(key, now);
                }
                entries.indexes.sessions(key).copied().collect::<Vec<_>>()
            });
            let entry = |session| ListEntry { session, pending_since: None, counts: true };
            let read_at = MemoryStore::time(self)?;
            Ok(Listing { entries: sessions.into_iter().map(entry).collect(), read_at })
        })
    }

    fn look<'a>(
        &'a self,
        keys: &'a [SessionKey],
        look: Look<'a>,
    ) -> BoxFuture<'a, Result<Vec<Lookup<Seen>>, StoreError>> {
        Box::pin(async move {
            let looked = |key| self.with_entries(|entries, now| look_at(entries, key, look, now));
            Ok(keys.iter().map(looked).collect())
        })
    }

    fn destroy_if<'a>(
        &'a self,
        key: &'a SessionKey,
        ending: Ending<'a>,
    ) -> BoxFuture<'a, Result<Option<Destroyed>, StoreError>> {
        let Ending { proof, destruction, .. } = ending;
        Box::pin(
            async move { Ok(self.destroy_where(key, destruction, |fields| fits(fields, proof))) },
        )
    }

    fn restore_entry<'a>(
        &'a self,
        key: &'a SessionKey,
        entry: MissingEntry<'a>,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(async move { self.with_entries(|entries, now| restore(entries, key, entry, now)) })
    }

    /// Does nothing, because an entry leaves together with its session or its value.
    fn remove_stale<'a>(
        &'a self,
        _: &'a IndexKey,
        _: IndexProof<'a>,
        _: Stale<'a>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }

    fn list_time<'a>(&'a self, _: &'a IndexKey) -> BoxFuture<'a, Result<SystemTime, StoreError>> {
        Box::pin(ready(MemoryStore::time(self)))
    }
}

fn fits(fields: &Fields, proof: IndexProof<'_>) -> bool {
    let former = proof.alias.and_then(|alias| fields.get(alias));
    proof.fits(fields.get(proof.field).as_deref(), former.as_deref())
}

pub(super) fn look_at(
    entries: &mut Entries,
    key: &SessionKey,
    look: Look<'_>,
    now: Duration,
) -> Lookup<Seen> {
    match entries.find(key, now) {
        Entry::Missing => Lookup::Missing,
        Entry::Dead(_) => Lookup::Dead,
        Entry::Live(LiveEntry { fields, expires_at, .. }) => Lookup::Found(Seen {
            values: look.fields.iter().map(|field| fields.get(field)).collect(),
            expires_in: *expires_at - now,
            signed_in_at: fields.label(look.index).and_then(|label| label.signed_in_at),
        }),
    }
}

/// Labels a session that has the value and lacks the label.
fn restore(
    entries: &mut Entries,
    key: &SessionKey,
    entry: MissingEntry<'_>,
    now: Duration,
) -> Result<Lookup<bool>, StoreError> {
    let session = match entries.find(key, now) {
        Entry::Missing => return Ok(Lookup::Missing),
        Entry::Dead(_) => return Ok(Lookup::Dead),
        Entry::Live(session) => session,
    };
    let has_label = session.fields.label(entry.index).is_some_and(|label| label.key == *entry.list);
    if has_label || !fits(&session.fields, entry.proof) {
        return Ok(Lookup::Found(false));
    }
    let label = session.fields.label_for(entry);
    let bytes = session.fields.bytes_with_label(&label);
    // A session that is used last is not evicted.
    entries.touch(key);
    entries.reserve(key, bytes, now).map_err(refused)?;
    entries.change(key, |fields| fields.put_label(label));
    Ok(Lookup::Found(true))
}

/// Checks the conditions of a login.
pub(super) fn check_guards(
    entries: &mut Entries,
    session: &SessionId,
    changes: &[IndexChange<'_>],
    clock: &Clock,
    now: Duration,
) -> Result<(), StoreError> {
    for entry in changes.iter().filter_map(|change| change.entry.as_ref()) {
        if let Some(since) = entry.guard.unless_ended_since {
            let ago = clock.now().duration_since(since).unwrap_or_default();
            let ended_at = entries.indexes.marked_at(&entry.key, now);
            if ago > MARKED_FOR || ended_at.is_some_and(|ended_at| now - ended_at <= ago) {
                return Err(StoreError::ended_since());
            }
        }
        if let Some(most) = entry.guard.at_most {
            let is_other = |other: &&SessionId| other.tag() != session.tag();
            let others = entries.indexes.sessions(&entry.key).filter(is_other).count();
            if others >= most.get() as usize {
                return Err(StoreError::too_many());
            }
        }
    }
    Ok(())
}
