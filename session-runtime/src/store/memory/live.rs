//! A live session's fields, each with an expiry of its own perhaps.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::action::{Effect, carry_out};
use super::bounds;
use crate::store::{Change, Modified, Modify, PERMANENT_FIELD};

/// What a session holds. Every time here is one of the clock's elapsed time.
///
/// Expired fields are [swept](Self::sweep) before anything else looks: all that is in here is there.
pub(super) struct Live {
    fields: BTreeMap<Box<str>, Held>,
    /// What the fields count, together.
    bytes: usize,
    /// No field expires sooner. Without such fields a session is never searched for them.
    soonest: Option<Duration>,
}

struct Held {
    value: Bytes,
    expires_at: Option<Duration>,
}

impl Live {
    /// A session without fields but the permanent one.
    pub(super) fn begin() -> Self {
        let permanent = Held { value: Bytes::new(), expires_at: None };
        Self {
            fields: BTreeMap::from([(PERMANENT_FIELD.into(), permanent)]),
            bytes: bounds::field(PERMANENT_FIELD, &[]),
            soonest: None,
        }
    }

    /// What it counts.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops the fields that have expired.
    pub(super) fn sweep(&mut self, now: Duration) {
        if self.soonest.is_some_and(|soonest| soonest <= now) {
            self.fields.retain(|name, held| {
                let stays = held.expires_at.is_none_or(|expires_at| expires_at > now);
                self.bytes -= if stays { 0 } else { bounds::field(name, &held.value) };
                stays
            });
            self.soonest = self.fields.values().filter_map(|held| held.expires_at).min();
        }
    }

    pub(super) fn get(&self, field: &str) -> Option<Bytes> {
        self.fields.get(field).map(|held| held.value.clone())
    }

    pub(super) fn contains(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    pub(super) fn time_left(&self, field: &str, now: Duration) -> Option<Duration> {
        self.fields.get(field)?.expires_at.map(|expires_at| expires_at.saturating_sub(now))
    }

    /// What a modification comes to, and the changes that carry it out.
    pub(super) fn plan<'a>(&self, modify: &Modify<'a>) -> (Modified, Vec<Change<'a>>) {
        let held = self.get(modify.field).or_else(|| self.get(modify.alias?));
        let (modified, effect) = carry_out(&modify.action, held);
        let field = modify.field;
        let change = match effect {
            Effect::Keep => return (modified, Vec::new()),
            Effect::Put(value) => Change::Set { field, value, ttl: modify.ttl },
            Effect::Remove => Change::Remove { field },
        };
        let former = modify.alias.map(|field| Change::Remove { field });
        (modified, std::iter::once(change).chain(former).collect())
    }

    /// What it counts once the changes are carried out.
    pub(super) fn bytes_after(&self, changes: &[Change<'_>]) -> usize {
        let (mut added, mut removed) = (0, 0);
        for change in changes {
            removed += self.held_bytes(change.field());
            if let Change::Set { field, value, .. } = change {
                added += bounds::field(field, value);
            }
        }
        self.bytes + added - removed
    }

    /// Carries out the changes and counts the removed fields that were there.
    pub(super) fn apply(&mut self, changes: &[Change<'_>], now: Duration) -> u64 {
        let mut removed = 0;
        for change in changes {
            match change {
                Change::Set { field, value, ttl } => self.put(field, value, *ttl, now),
                Change::Remove { field } => removed += u64::from(self.remove(field)),
            }
        }
        removed
    }

    /// Gives a field an expiry of its own, and says whether it is there.
    pub(super) fn expire(&mut self, field: &str, ttl: Duration, now: Duration) -> bool {
        let expires_at = self.expiry(Some(ttl), now);
        self.fields.get_mut(field).map(|held| held.expires_at = expires_at).is_some()
    }

    /// A copy of its own: a value cut out of a large buffer must not keep that buffer for as long as the session lives.
    fn put(&mut self, field: &str, value: &[u8], ttl: Option<Duration>, now: Duration) {
        let held = Held { value: Bytes::copy_from_slice(value), expires_at: self.expiry(ttl, now) };
        self.bytes = self.bytes + bounds::field(field, value) - self.held_bytes(field);
        self.fields.insert(field.into(), held);
    }

    fn remove(&mut self, field: &str) -> bool {
        self.bytes -= self.held_bytes(field);
        self.fields.remove(field).is_some()
    }

    fn held_bytes(&self, field: &str) -> usize {
        self.fields.get(field).map_or(0, |held| bounds::field(field, &held.value))
    }

    fn expiry(&mut self, ttl: Option<Duration>, now: Duration) -> Option<Duration> {
        let expires_at = now.saturating_add(ttl?);
        self.soonest = Some(self.soonest.map_or(expires_at, |soonest| soonest.min(expires_at)));
        Some(expires_at)
    }

    /// What it counts, counted again.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        self.fields.iter().map(|(name, held)| bounds::field(name, &held.value)).sum()
    }
}
