//! What a store has to do, in the simplest words: the model that is compared with the store after
//! every command.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use session_runtime::SessionId;
use session_runtime::store::{
    Destroyed, Lookup, PERMANENT_FIELD, Refresh, SessionKey, Tombstone, TombstoneKind, WriteMode,
};

use super::network::{Command, Moving, Reply};

/// All sessions that there ever were.
#[derive(Default)]
pub(super) struct ReferenceStore {
    pub(super) entries: BTreeMap<String, Entry>,
    lineages: usize,
}

/// What is known of one key.
pub(super) struct Entry {
    pub(super) key: SessionKey,
    /// The same for a session and all that it was rotated to.
    pub(super) lineage: usize,
    pub(super) expires_at: SystemTime,
    pub(super) content: Content,
}

#[derive(Debug, PartialEq)]
pub(super) enum Content {
    Live(BTreeMap<String, Bytes>),
    /// How it ended, and when.
    Dead(TombstoneKind, SystemTime),
}

impl ReferenceStore {
    /// What is under a key now.
    pub(super) fn entry(&self, key: &str, now: SystemTime) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.expires_at > now)
    }

    pub(super) fn is_live(&self, key: &str, now: SystemTime) -> bool {
        self.entry(key, now).is_some_and(|entry| matches!(entry.content, Content::Live(_)))
    }

    pub(super) fn is_dead(&self, key: &str, now: SystemTime) -> bool {
        self.entry(key, now).is_some_and(|entry| matches!(entry.content, Content::Dead(..)))
    }

    /// How a key's session was ended, and when, however long ago.
    pub(super) fn end_of(&self, key: &str) -> Option<(TombstoneKind, SystemTime)> {
        match self.entries.get(key)?.content {
            Content::Dead(kind, at) => Some((kind, at)),
            Content::Live(_) => None,
        }
    }

    /// The live key that the tombstones lead to from this one. Only renewals to keys of which
    /// `follows` holds are followed.
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

    /// The lineage of a key, whatever became of it since.
    pub(super) fn lineage(&self, key: &str) -> Option<usize> {
        self.entries.get(key).map(|entry| entry.lineage)
    }

    /// What a command does, and what the store has to reply.
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
            Command::Rotate {
                to, id, how: Moving { expires_in, tombstone_for, renews }, ..
            } => {
                match entry {
                    None => Reply::Rotate(Lookup::Missing),
                    Some(Entry { content: Content::Dead(kind, _), .. }) => {
                        // Repeated: it is where it was moved to, unless that has ended meanwhile.
                        let repeated = kind.successor() == Some(*id) && moves_on;
                        Reply::Rotate(if repeated { Lookup::Found(()) } else { Lookup::Dead })
                    }
                    Some(entry) => {
                        let kind = if *renews {
                            TombstoneKind::Renewed(*id)
                        } else {
                            TombstoneKind::Rotated(*id)
                        };
                        let content =
                            std::mem::replace(&mut entry.content, Content::Dead(kind, now));
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

fn change(fields: &mut BTreeMap<String, Bytes>, changes: &[(String, Option<Bytes>)]) -> u64 {
    let mut removed = 0;
    for (field, value) in changes {
        match value {
            Some(value) => drop(fields.insert(field.clone(), value.clone())),
            None => removed += u64::from(fields.remove(field).is_some()),
        }
    }
    removed
}
