//! A part of the cache, behind one lock.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::sync::Arc;

use hashlink::LinkedHashMap;
use hashlink::linked_hash_map::RawEntryMut;

use super::entry::Entry;
use super::lease::Lease;

/// A part of the cache, behind one lock.
pub(super) struct Shard {
    /// In order of last use, least recently used first.
    entries: LinkedHashMap<Box<str>, Entry, RandomState>,
    /// What happened to the sessions of each slot. Many sessions share a slot of this table.
    slots: Box<[Slot; SLOTS]>,
    /// The number of writes under way for each session, by hash.
    busy: HashMap<u64, usize>,
    bytes: usize,
    max_bytes: usize,
}

const SLOTS: usize = 256;
/// An estimate of the overhead of an entry in the map.
const OVERHEAD: usize = 64;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Counts the events after which an earlier question must not be kept.
    generation: u64,
    /// The connection whose reply was seen last.
    seen: u64,
}

/// The state of a session when a question for its fields is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
}

/// The entries that went, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) voided: usize,
    pub(super) evicted: usize,
}

impl Shard {
    pub(super) fn new(hasher: RandomState, max_bytes: usize) -> Self {
        Self {
            entries: LinkedHashMap::with_hasher(hasher),
            slots: Box::new([Slot::default(); SLOTS]),
            busy: HashMap::new(),
            bytes: 0,
            max_bytes,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn raise_limit(&mut self, max_bytes: usize) {
        self.max_bytes = self.max_bytes.max(max_bytes);
    }

    /// Returns the entry of a session that is not being written to, as the most recently used.
    pub(super) fn entry(&mut self, hash: u64, key: &str) -> Option<&mut Entry> {
        if self.busy.contains_key(&hash) {
            return None;
        }
        match self.entries.raw_entry_mut().from_key_hashed_nocheck(hash, key) {
            RawEntryMut::Occupied(mut entry) => {
                entry.to_back();
                Some(entry.into_mut())
            }
            RawEntryMut::Vacant(_) => None,
        }
    }

    /// Begins a question over this connection. `None` while the session is being written to.
    pub(super) fn ticket(&mut self, hash: u64, lease: &Lease) -> Option<Ticket> {
        if self.busy.contains_key(&hash) {
            return None;
        }
        Some(Ticket { generation: self.see(hash, lease).generation })
    }

    /// Records a reply over this connection about some fields of a session. Entries of other
    /// connections may be older, as may replies that are still under way there.
    pub(super) fn replied(&mut self, hash: u64, key: &str, lease: &Lease, fields: &[&str]) -> Gone {
        self.see(hash, lease);
        let is_foreign = |entry: &Entry| entry.lease().id() != lease.id() && entry.has(fields);
        self.remove_if(hash, key, is_foreign)
    }

    /// Returns the entry to add fields to, if nothing happened to the session since the ticket.
    pub(super) fn keep(
        &mut self,
        hash: u64,
        key: &str,
        ticket: Ticket,
        lease: &Arc<Lease>,
        epoch: u64,
        add: impl FnOnce(&mut Entry),
    ) -> Gone {
        let slot = self.slots[slot_of(hash)];
        if slot.generation != ticket.generation
            || slot.seen != lease.id()
            || self.busy.contains_key(&hash)
        {
            return Gone::default();
        }
        let mut gone = self.remove_if(hash, key, |entry| !entry.is_of(lease, epoch));
        let entry = match self.entries.raw_entry_mut().from_key_hashed_nocheck(hash, key) {
            RawEntryMut::Occupied(mut entry) => {
                entry.to_back();
                self.bytes -= size(key, entry.get());
                entry.into_mut()
            }
            RawEntryMut::Vacant(vacant) => {
                let entry = Entry::new(Arc::clone(lease), epoch);
                vacant.insert_hashed_nocheck(hash, key.into(), entry).1
            }
        };
        add(entry);
        self.bytes += size(key, entry);
        gone.evicted = self.evict();
        gone
    }

    /// Voids what is kept of a session, and all replies that are under way.
    pub(super) fn void(&mut self, hash: u64, key: &str) -> Gone {
        self.slots[slot_of(hash)].generation += 1;
        self.remove_if(hash, key, |_| true)
    }

    /// Voids a session at the begin of a write. Until the end, nothing of the session is kept.
    pub(super) fn begin_write(&mut self, hash: u64, key: &str) -> Gone {
        *self.busy.entry(hash).or_default() += 1;
        self.void(hash, key)
    }

    pub(super) fn end_write(&mut self, hash: u64, key: &str) -> Gone {
        if let Some(writes) = self.busy.get_mut(&hash) {
            *writes -= 1;
            if *writes == 0 {
                self.busy.remove(&hash);
            }
        }
        self.void(hash, key)
    }

    /// Voids all sessions with such a key, and all replies that are under way.
    pub(super) fn void_where(&mut self, is_void: impl Fn(&str) -> bool) -> Gone {
        self.slots.iter_mut().for_each(|slot| slot.generation += 1);
        let (mut bytes, before) = (0, self.entries.len());
        self.entries.retain(|key, entry| {
            let stays = !is_void(key);
            bytes += if stays { size(key, entry) } else { 0 };
            stays
        });
        self.bytes = bytes;
        Gone { voided: before - self.entries.len(), evicted: 0 }
    }

    fn see(&mut self, hash: u64, lease: &Lease) -> Slot {
        let slot = &mut self.slots[slot_of(hash)];
        if slot.seen != lease.id() {
            *slot = Slot { generation: slot.generation + 1, seen: lease.id() };
        }
        *slot
    }

    fn remove_if(&mut self, hash: u64, key: &str, is_void: impl FnOnce(&Entry) -> bool) -> Gone {
        match self.entries.raw_entry_mut().from_key_hashed_nocheck(hash, key) {
            RawEntryMut::Occupied(entry) if is_void(entry.get()) => {
                self.bytes -= size(key, entry.get());
                entry.remove();
                Gone { voided: 1, evicted: 0 }
            }
            _ => Gone::default(),
        }
    }

    fn evict(&mut self) -> usize {
        let mut evicted = 0;
        while self.bytes > self.max_bytes
            && let Some((key, entry)) = self.entries.pop_front()
        {
            self.bytes -= size(&key, &entry);
            evicted += 1;
        }
        evicted
    }
}

fn slot_of(hash: u64) -> usize {
    (hash >> 32) as usize % SLOTS
}

fn size(key: &str, entry: &Entry) -> usize {
    key.len() + entry.bytes() + OVERHEAD
}
