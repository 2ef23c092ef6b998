//! A live session's fields, each with an expiry of its own perhaps.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::action::{Effect, carry_out};
use crate::store::{Change, Modified, Modify, PERMANENT_FIELD};

/// What a session holds. Every time here is one of the clock's elapsed time.
///
/// Expired fields are [swept](Self::sweep) before anything else looks: all that is in here is there.
pub(super) struct Live {
    fields: BTreeMap<Box<str>, Held>,
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
        Self { fields: BTreeMap::from([(PERMANENT_FIELD.into(), permanent)]), soonest: None }
    }

    /// Drops the fields that have expired.
    pub(super) fn sweep(&mut self, now: Duration) {
        if self.soonest.is_some_and(|soonest| soonest <= now) {
            self.fields.retain(|_, held| held.expires_at.is_none_or(|expires_at| expires_at > now));
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

    /// Carries out the changes and counts the removed fields that were there.
    pub(super) fn apply(&mut self, changes: &[Change<'_>], now: Duration) -> u64 {
        let mut removed = 0;
        for change in changes {
            match change {
                Change::Set { field, value, ttl } => self.put(field, value, *ttl, now),
                Change::Remove { field } => removed += u64::from(self.fields.remove(*field).is_some()),
            }
        }
        removed
    }

    pub(super) fn modify(&mut self, modify: &Modify<'_>, now: Duration) -> Modified {
        let held = self.get(modify.field).or_else(|| self.get(modify.alias?));
        let (modified, effect) = carry_out(&modify.action, held);
        match &effect {
            Effect::Keep => return modified,
            Effect::Put(value) => self.put(modify.field, value, modify.ttl, now),
            Effect::Remove => drop(self.fields.remove(modify.field)),
        }
        if let Some(alias) = modify.alias {
            self.fields.remove(alias);
        }
        modified
    }

    /// Gives a field an expiry of its own, and says whether it is there.
    pub(super) fn expire(&mut self, field: &str, ttl: Duration, now: Duration) -> bool {
        let expires_at = self.expiry(Some(ttl), now);
        self.fields.get_mut(field).map(|held| held.expires_at = expires_at).is_some()
    }

    /// A copy of its own: a value cut out of a large buffer must not keep that buffer for as long as the session lives.
    fn put(&mut self, field: &str, value: &[u8], ttl: Option<Duration>, now: Duration) {
        let held = Held { value: Bytes::copy_from_slice(value), expires_at: self.expiry(ttl, now) };
        self.fields.insert(field.into(), held);
    }

    fn expiry(&mut self, ttl: Option<Duration>, now: Duration) -> Option<Duration> {
        let expires_at = now.saturating_add(ttl?);
        self.soonest = Some(self.soonest.map_or(expires_at, |soonest| soonest.min(expires_at)));
        Some(expires_at)
    }
}
