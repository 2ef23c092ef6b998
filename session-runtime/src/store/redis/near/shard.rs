//! A part of the cache, behind one lock.

use std::collections::HashMap;

use hashlink::linked_hash_map::RawEntryMut;
use hashlink::{DefaultHashBuilder, LinkedHashMap};

use super::entry::Entry;
use super::lease::Lease;
use crate::telemetry::NearCacheChanges;

/// A part of the cache, behind one lock.
pub(super) struct Shard {
    /// In order of last use, least recently used first. The key is the tag, which a session shares
    /// with its successors. Only the latest of these matters.
    entries: LinkedHashMap<Box<str>, Entry>,
    /// The latest events, by hash. Many sessions share a slot of this table.
    slots: Box<[Slot; SLOTS]>,
    /// The number of writes under way, by hash.
    busy: HashMap<u64, usize>,
    bytes: usize,
    max_bytes: usize,
    changes: NearCacheChanges,
}

/// The tag of a session, with its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) text: &'a str,
    pub(super) hash: u64,
}

const SLOTS: usize = 256;
/// An estimate of the overhead of an entry in the map.
const OVERHEAD: usize = 64;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Counts the events after which no earlier question is kept.
    generation: u64,
    /// The number of replies.
    replies: u64,
    /// The connection of the latest reply.
    seen: u64,
    /// The session that was voided last without a use.
    unused: Unused,
}

/// A session whose values were voided before a read used them. Such a session is kept again after a
/// read that no change has followed. Otherwise a session that each request writes would be kept in
/// vain at each request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Unused {
    #[default]
    None,
    Since(u64),
    ReadSince(u64),
}

/// The state of a session when a question for its fields is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
    replies: u64,
}

impl Shard {
    pub(super) fn new(hasher: DefaultHashBuilder) -> Self {
        Self {
            entries: LinkedHashMap::with_hasher(hasher),
            slots: Box::new([Slot::default(); SLOTS]),
            busy: HashMap::new(),
            bytes: 0,
            max_bytes: 0,
            changes: NearCacheChanges::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn raise_limit(&mut self, max_bytes: usize) {
        self.max_bytes = self.max_bytes.max(max_bytes);
    }

    /// Takes the changes since the last call, for the metrics.
    pub(super) fn take_changes(&mut self) -> NearCacheChanges {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.resize(-(self.bytes as i64));
    }

    /// Returns the entry of a session that is not being written to, as the most recently used.
    pub(super) fn entry(&mut self, tag: Tag<'_>, key: &str) -> Option<&mut Entry> {
        if self.busy.contains_key(&tag.hash) {
            return None;
        }
        match self.entries.raw_entry_mut().from_key_hashed_nocheck(tag.hash, tag.text) {
            RawEntryMut::Occupied(mut entry) if entry.get().is_under(key) => {
                entry.to_back();
                Some(entry.into_mut())
            }
            _ => None,
        }
    }

    /// Begins a question. `None` while the session is being written to, and for a session that is
    /// not worth keeping.
    pub(super) fn ticket(&mut self, tag: Tag<'_>) -> Option<Ticket> {
        if self.busy.contains_key(&tag.hash) {
            return None;
        }
        let unused = &mut self.slots[slot_of(tag)].unused;
        match *unused {
            Unused::Since(hash) if hash == tag.hash => {
                *unused = Unused::ReadSince(hash);
                return None;
            }
            Unused::ReadSince(hash) if hash == tag.hash => *unused = Unused::None,
            _ => {}
        }
        let Slot { generation, replies, .. } = self.slots[slot_of(tag)];
        Some(Ticket { generation, replies })
    }

    /// Records a reply over this connection. Replies to earlier questions over other connections
    /// may be older. `keep` is the entry to keep, if nothing happened to the session since the
    /// ticket. Otherwise an entry goes if the reply differs from it.
    pub(super) fn replied(
        &mut self,
        tag: Tag<'_>,
        lease: &Lease,
        keep: Option<(Ticket, Entry)>,
        differs: impl FnOnce(&Entry) -> bool,
    ) {
        match keep.filter(|(ticket, _)| self.is_valid(tag, *ticket, lease)) {
            Some((_, entry)) => self.keep(tag, entry),
            None => drop(self.remove_if(tag, differs)),
        }
        let slot = &mut self.slots[slot_of(tag)];
        slot.replies += 1;
        if slot.seen != lease.id() {
            slot.generation += 1;
            slot.seen = lease.id();
        }
    }

    /// Returns whether nothing happened to the session since the ticket: no change, no write, and
    /// no reply over another connection.
    fn is_valid(&self, tag: Tag<'_>, ticket: Ticket, lease: &Lease) -> bool {
        let slot = self.slots[slot_of(tag)];
        let is_alone = slot.seen == lease.id() || slot.replies == ticket.replies;
        slot.generation == ticket.generation && is_alone && !self.busy.contains_key(&tag.hash)
    }

    /// Keeps an entry. Other fields stay if they are of the same connection and epoch.
    fn keep(&mut self, tag: Tag<'_>, mut entry: Entry) {
        if let Some(earlier) = self.take(tag) {
            entry.add_fields_of(earlier);
        }
        let size = size(tag.text, &entry);
        // A single session must not empty the cache.
        if size > self.max_bytes / 8 {
            return;
        }
        self.resize(size as i64);
        self.entries.insert(tag.text.into(), entry);
        self.evict();
    }

    /// Voids what is kept of a session, and all replies that are under way.
    pub(super) fn void(&mut self, tag: Tag<'_>) {
        let voided = self.remove_if(tag, |_| true);
        let slot = &mut self.slots[slot_of(tag)];
        slot.generation += 1;
        let is_unused = voided.is_some_and(|entry| !entry.is_used());
        if is_unused || slot.unused == Unused::ReadSince(tag.hash) {
            slot.unused = Unused::Since(tag.hash);
        }
    }

    /// Voids a session at the begin of a write. Until the end, nothing of the session is kept.
    pub(super) fn begin_write(&mut self, tag: Tag<'_>) {
        *self.busy.entry(tag.hash).or_default() += 1;
        self.void(tag);
    }

    pub(super) fn end_write(&mut self, tag: Tag<'_>) {
        if let Some(writes) = self.busy.get_mut(&tag.hash) {
            *writes -= 1;
            if *writes == 0 {
                self.busy.remove(&tag.hash);
            }
        }
        self.void(tag);
    }

    /// Voids all sessions with such a tag, and all replies that are under way.
    pub(super) fn void_where(&mut self, is_void: impl Fn(&str) -> bool) {
        self.slots.iter_mut().for_each(|slot| slot.generation += 1);
        let (mut bytes, before) = (0, self.entries.len());
        self.entries.retain(|tag, entry| {
            let goes = is_void(tag);
            bytes += if goes { size(tag, entry) } else { 0 };
            !goes
        });
        self.changes.voided += (before - self.entries.len()) as u64;
        self.resize(-(bytes as i64));
    }

    fn remove_if(&mut self, tag: Tag<'_>, is_void: impl FnOnce(&Entry) -> bool) -> Option<Entry> {
        match self.entries.raw_entry_mut().from_key_hashed_nocheck(tag.hash, tag.text) {
            RawEntryMut::Occupied(entry) if is_void(entry.get()) => {
                let entry = entry.remove();
                self.changes.voided += 1;
                self.resize(-(size(tag.text, &entry) as i64));
                Some(entry)
            }
            _ => None,
        }
    }

    fn take(&mut self, tag: Tag<'_>) -> Option<Entry> {
        match self.entries.raw_entry_mut().from_key_hashed_nocheck(tag.hash, tag.text) {
            RawEntryMut::Occupied(entry) => {
                let entry = entry.remove();
                self.resize(-(size(tag.text, &entry) as i64));
                Some(entry)
            }
            RawEntryMut::Vacant(_) => None,
        }
    }

    fn evict(&mut self) {
        while self.bytes > self.max_bytes
            && let Some((tag, entry)) = self.entries.pop_front()
        {
            self.resize(-(size(&tag, &entry) as i64));
            self.changes.evicted += 1;
        }
    }

    fn resize(&mut self, by: i64) {
        self.bytes = self.bytes.saturating_add_signed(by as isize);
        self.changes.bytes += by;
    }
}

fn slot_of(tag: Tag<'_>) -> usize {
    (tag.hash >> 32) as usize % SLOTS
}

fn size(tag: &str, entry: &Entry) -> usize {
    tag.len() + entry.bytes() + OVERHEAD
}
