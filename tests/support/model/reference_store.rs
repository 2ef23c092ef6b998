//! A simple specification of a store. The model compares the real store with it after every
//! command.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use session_runtime::SessionId;
use session_runtime::store::{
    Destroyed, Lookup, PERMANENT_FIELD, Refresh, SessionKey, Tombstone, TombstoneKind, WriteMode,
};

use super::network::{Changes, Command, Moving, Reply};

/// All sessions that ever existed.
#[derive(Default)]
pub(super) struct ReferenceStore {
    pub(super) entries: BTreeMap<String, Entry>,
    lineages: usize,
}

/// The state of a key.
pub(super) struct Entry {
    pub(super) key: SessionKey,
    /// The same number for a session and for all its rotations.
    pub(super) lineage: usize,
    pub(super) expires_at: SystemTime,
    pub(super) content: Content,
}

#[derive(Debug, PartialEq)]
pub(super) enum Content {
    Live(BTreeMap<String, Bytes>),
    /// The kind and the time of the end.
    Dead(TombstoneKind, SystemTime),
}

impl ReferenceStore {
    /// Returns the current entry of a key.
    pub(super) fn entry(&self, key: &str, now: SystemTime) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.expires_at > now)
    }

    pub(super) fn is_live(&self, key: &str, now: SystemTime) -> bool {
        self.entry(key, now).is_some_and(|entry| matches!(entry.content, Content::Live(_)))
    }

    /// Returns the fields of a live session.
    pub(super) fn fields(&self, key: &str, now: SystemTime) -> Option<&BTreeMap<String, Bytes>> {
        match &self.entry(key, now)?.content {
            Content::Live(fields) => Some(fields),
            Content::Dead(..) => None,
        }
    }

    pub(super) fn is_dead(&self, key: &str, now: SystemTime) -> bool {
        self.entry(key, now).is_some_and(|entry| matches!(entry.content, Content::Dead(..)))
    }

    /// Returns the kind and the time of the end of a key's session, even long afterwards.
    pub(super) fn end_of(&self, key: &str) -> Option<(TombstoneKind, SystemTime)> {
        match self.entries.get(key)?.content {
            Content::Dead(kind, at) => Some((kind, at)),
            Content::Live(_) => None,
        }
    }

    /// Follows the tombstones from this key, and returns the live key. Follows a renewal only if
    /// `follows` returns true for the new key.
    pub(super) fn leads_to(
        &self,
        key: &str,
        now: SystemTime,
        follows: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let mut key = key.to_owned();
        loop {
            let next = match self.entry(&key, now)?.content {
                Content::Live(_) => return Some(key),
                Content::Dead(TombstoneKind::Destroyed(_), _) => return None,
                Content::Dead(TombstoneKind::Rotated(id), _) => Some(key_of(&id)),
                Content::Dead(TombstoneKind::Renewed(id), _) => {
                    Some(key_of(&id)).filter(|key| follows(key))
                }
            };
            key = next?;
        }
    }

    /// Returns the lineage of a key, even if the session has ended.
    pub(super) fn lineage(&self, key: &str) -> Option<usize> {
        self.entries.get(key).map(|entry| entry.lineage)
    }

    /// Executes a command, and returns the expected reply.
    pub(super) fn apply(&mut self, command: &Command, now: SystemTime) -> Reply {
        let key = command.key();
        let lineages = self.lineages;
        let moves_on = match command {
            Command::Rotate { to, .. } => self.is_live(to.expose_secret(), now),
            _ => false,
        };
        let entry =
            self.entries.get_mut(key.expose_secret()).filter(|entry| entry.expires_at > now);
        match command {
            Command::Get { field, refresh, .. } => Reply::Get(match entry {
                None => Lookup::Missing,
                Some(Entry { content: Content::Dead(..), .. }) => Lookup::Dead,
                Some(Entry { content: Content::Live(fields), expires_at, .. }) => {
                    refreshed(expires_at, *refresh, now);
                    Lookup::Found(fields.get(field).cloned())
                }
            }),
            Command::Contains { field, refresh, .. } => Reply::Contains(match entry {
                None => Lookup::Missing,
                Some(Entry { content: Content::Dead(..), .. }) => Lookup::Dead,
                Some(Entry { content: Content::Live(fields), expires_at, .. }) => {
                    refreshed(expires_at, *refresh, now);
                    Lookup::Found(fields.contains_key(field))
                }
            }),
            Command::TimeLeft { .. } => Reply::TimeLeft(match entry {
                None => Lookup::Missing,
                Some(Entry { content: Content::Dead(..), .. }) => Lookup::Dead,
                Some(entry) => {
                    Lookup::Found(entry.expires_at.duration_since(now).unwrap_or_default())
                }
            }),
            Command::Write { mode, changes, expires_in, .. } => Reply::Write(match entry {
                Some(Entry { content: Content::Dead(..), .. }) => Lookup::Dead,
                Some(Entry { content: Content::Live(fields), expires_at, .. }) => {
                    *expires_at = now + *expires_in;
                    Lookup::Found(change(fields, changes))
                }
                None if *mode == WriteMode::Existing => Lookup::Missing,
                None => {
                    let mut fields = BTreeMap::from([(PERMANENT_FIELD.to_owned(), Bytes::new())]);
                    let removed = change(&mut fields, changes);
                    let (lineage, content) = (lineages, Content::Live(fields));
                    self.lineages += 1;
                    self.put(
                        key,
                        Entry { key: key.clone(), lineage, expires_at: now + *expires_in, content },
                    );
                    Lookup::Found(removed)
                }
            }),
            Command::Rotate { to, id, how, changes, keep_only, .. } => {
                let Moving { expires_in, tombstone_for, renews } = how;
                match entry {
                    None => Reply::Rotate(Lookup::Missing),
                    Some(Entry { content: Content::Dead(kind, _), .. }) => {
                        // A repeated move: the session is at its new id, unless it has ended since.
                        let repeated = kind.successor() == Some(*id) && moves_on;
                        Reply::Rotate(if repeated { Lookup::Found(()) } else { Lookup::Dead })
                    }
                    Some(entry) => {
                        let kind = if *renews {
                            TombstoneKind::Renewed(*id)
                        } else {
                            TombstoneKind::Rotated(*id)
                        };
                        let mut content =
                            std::mem::replace(&mut entry.content, Content::Dead(kind, now));
                        if let Content::Live(fields) = &mut content {
                            keep(fields, keep_only.as_deref());
                            change(fields, changes);
                        }
                        entry.expires_at = now + *tombstone_for;
                        let (lineage, expires_at) = (entry.lineage, now + *expires_in);
                        self.put(to, Entry { key: to.clone(), lineage, expires_at, content });
                        Reply::Rotate(Lookup::Found(()))
                    }
                }
            }
            Command::Destroy { destruction, .. } => Reply::Destroy(match entry {
                None => Destroyed::Missing,
                Some(Entry { content: Content::Dead(kind, _), .. }) => Destroyed::Dead(*kind),
                Some(entry) => {
                    entry.content =
                        Content::Dead(TombstoneKind::Destroyed(destruction.reason), now);
                    entry.expires_at = now + destruction.tombstone_for;
                    Destroyed::Ended
                }
            }),
            Command::Tombstone { .. } => Reply::Tombstone(match entry {
                Some(Entry { content: Content::Dead(kind, at), .. }) => {
                    let age = now.duration_since(*at).unwrap_or_default();
                    Some(Tombstone { kind: *kind, age })
                }
                _ => None,
            }),
            Command::Index(_) => unreachable!("the schema has no index"),
        }
    }

    fn put(&mut self, key: &SessionKey, entry: Entry) {
        self.entries.insert(key.expose_secret().to_owned(), entry);
    }
}

fn key_of(id: &SessionId) -> String {
    SessionKey::new("app", id).expose_secret().to_owned()
}

fn refreshed(expires_at: &mut SystemTime, refresh: Refresh, now: SystemTime) {
    match refresh {
        Refresh::No => {}
        Refresh::To(expires_in) => *expires_at = now + expires_in,
        Refresh::Below { below, expires_in } if *expires_at < now + below => {
            *expires_at = now + expires_in
        }
        Refresh::Below { .. } => {}
    }
}

fn keep(fields: &mut BTreeMap<String, Bytes>, keep_only: Option<&[String]>) {
    if let Some(kept) = keep_only {
        fields.retain(|field, _| field == PERMANENT_FIELD || kept.contains(field));
    }
}

fn change(fields: &mut BTreeMap<String, Bytes>, changes: &Changes) -> u64 {
    let mut removed = 0;
    for (field, value) in changes {
        match value {
            Some(value) => drop(fields.insert(field.clone(), value.clone())),
            None => removed += u64::from(fields.remove(field).is_some()),
        }
    }
    removed
}
