//! The fields of a live session. Each field may have an expiry of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::action::{Effect, evaluate};
use super::bounds::{field_bytes, label_bytes};
use super::indexes::Label;
use crate::id::SessionId;
use crate::store::{
    Change, IndexChange, IndexProof, MissingEntry, Modified, Modify, PERMANENT_FIELD, Rotation,
};

/// The fields of a live session. Every time in here is elapsed time of the clock.
///
/// Expired fields are [removed](Self::remove_expired) before any other access, so every field in
/// here exists.
pub(super) struct Fields {
    by_name: BTreeMap<Box<str>, StoredField>,
    /// The entries of the session in indexes.
    labels: Vec<Label>,
    /// The total size of all fields and labels.
    bytes: usize,
    /// A time before which no field expires. `None` avoids a search for expired fields.
    next_expiry: Option<Duration>,
}

struct StoredField {
    value: Bytes,
    expires_at: Option<Duration>,
}

impl Fields {
    /// Creates a session with only the permanent field.
    pub(super) fn new() -> Self {
        let permanent = StoredField { value: Bytes::new(), expires_at: None };
        Self {
            by_name: BTreeMap::from([(PERMANENT_FIELD.into(), permanent)]),
            labels: Vec::new(),
            bytes: field_bytes(PERMANENT_FIELD, &[]),
            next_expiry: None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Removes expired fields.
    #[inline]
    pub(super) fn remove_expired(&mut self, now: Duration) {
        if self.next_expiry.is_some_and(|next_expiry| next_expiry <= now) {
            self.by_name.retain(|name, stored| {
                let stays = stored.expires_at.is_none_or(|expires_at| expires_at > now);
                self.bytes -= if stays { 0 } else { field_bytes(name, &stored.value) };
                stays
            });
            self.next_expiry = self.by_name.values().filter_map(|stored| stored.expires_at).min();
        }
    }

    pub(super) fn get(&self, field: &str) -> Option<Bytes> {
        self.by_name.get(field).map(|stored| stored.value.clone())
    }

    /// Returns the fields whose names begin with a prefix.
    pub(super) fn under(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let fields = self.by_name.range::<str, _>(from);
        let fields = fields.take_while(|(name, _)| name.starts_with(prefix));
        fields.map(|(name, stored)| (name.to_string(), stored.value.clone())).collect()
    }

    pub(super) fn contains(&self, field: &str) -> bool {
        self.by_name.contains_key(field)
    }

    pub(super) fn expires_in(&self, field: &str, now: Duration) -> Option<Duration> {
        self.by_name.get(field)?.expires_at.map(|expires_at| expires_at.saturating_sub(now))
    }

    /// Returns the time until the expiry of a modification's current value, if any.
    pub(super) fn current_expires_in(
        &self,
        modify: &Modify<'_>,
        now: Duration,
    ) -> Option<Duration> {
        let alias = modify.alias.filter(|_| !self.contains(modify.field));
        self.expires_in(alias.unwrap_or(modify.field), now)
    }

    /// Returns the outcome of a modification, and the changes that carry out the modification.
    pub(super) fn plan<'a>(&self, modify: &Modify<'a>) -> (Modified, Vec<Change<'a>>) {
        let current = self.get(modify.field).or_else(|| self.get(modify.alias?));
        let (modified, effect) = evaluate(&modify.action, current);
        let field = modify.field;
        let change = match effect {
            Effect::Keep => return (modified, Vec::new()),
            Effect::Put(value) => Change::Set { field, value, ttl: modify.ttl },
            Effect::Remove => Change::Remove { field },
        };
        let former_name = modify.alias.map(|field| Change::Remove { field });
        (modified, std::iter::once(change).chain(former_name).collect())
    }

    /// Returns the total size after the changes of a rotation.
    pub(super) fn bytes_after_rotation(
        &self,
        rotation: &Rotation<'_>,
        stays: impl Fn(&str) -> bool,
    ) -> usize {
        let lost = self.by_name.iter().filter(|(name, _)| !stays(name));
        let lost: usize = lost.map(|(name, stored)| field_bytes(name, &stored.value)).sum();
        self.bytes_after(rotation.changes) - lost
    }

    /// Carries out the changes of a rotation.
    pub(super) fn rotate(
        &mut self,
        rotation: &Rotation<'_>,
        stays: impl Fn(&str) -> bool,
        now: Duration,
    ) {
        self.by_name.retain(|name, stored| {
            let stays = stays(name);
            self.bytes -= if stays { 0 } else { field_bytes(name, &stored.value) };
            stays
        });
        self.apply(rotation.changes, now);
    }

    pub(super) fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// Returns the entry of the session in the index of this name.
    pub(super) fn label(&self, index: &str) -> Option<&Label> {
        self.labels.iter().find(|label| &*label.index == index)
    }

    /// Returns whether an indexed field gets another value in place of its present value.
    pub(super) fn changes_user(&self, changes: &[IndexChange<'_>]) -> bool {
        changes.iter().any(|change| match (&change.entry, self.get(change.field)) {
            (Some(entry), Some(present)) => !entry.value.is_same(&present),
            _ => false,
        })
    }

    /// Returns how much the labels grow at most.
    pub(super) fn label_growth(&self, changes: &[IndexChange<'_>]) -> usize {
        let growth = |change: &IndexChange<'_>| {
            let former = self.label(change.index);
            let former = former.map_or(0, |label| label_bytes(&label.index, &label.field));
            label_bytes(change.index, change.field).saturating_sub(former)
        };
        changes.iter().filter(|change| change.entry.is_some()).map(growth).sum()
    }

    /// Labels the session by the values that its indexed fields have now. Without a time, the time
    /// in each label stays.
    pub(super) fn relabel(
        &mut self,
        session: &SessionId,
        changes: &[IndexChange<'_>],
        signed_in_at: Option<SystemTime>,
    ) {
        for change in changes {
            let value = self.get(change.field);
            match (&change.entry, value) {
                (Some(entry), Some(value)) if entry.value.fits(&value) => self.put_label(Label {
                    index: change.index.into(),
                    field: change.field.into(),
                    key: entry.key.clone(),
                    session: *session,
                    signed_in_at: signed_in_at.or_else(|| self.label(change.index)?.signed_in_at),
                }),
                (_, None) => self.remove_labels_without_value(),
                _ => {}
            }
        }
    }

    /// Returns the label for an entry that is missing, with the name under which the value is.
    pub(super) fn label_for(&self, entry: MissingEntry<'_>) -> Label {
        let IndexProof { field, alias, .. } = entry.proof;
        let field = alias.filter(|_| !self.contains(field)).unwrap_or(field);
        Label {
            index: entry.index.into(),
            field: field.into(),
            key: entry.list.clone(),
            session: *entry.session,
            signed_in_at: None,
        }
    }

    /// Returns the total size with this label.
    pub(super) fn bytes_with_label(&self, label: &Label) -> usize {
        let former = self.label(&label.index);
        let former = former.map_or(0, |former| label_bytes(&former.index, &former.field));
        self.bytes + label_bytes(&label.index, &label.field) - former
    }

    /// Adds a label in place of that of the same index.
    pub(super) fn put_label(&mut self, label: Label) {
        self.remove_labels(|former| former.index == label.index);
        self.bytes += label_bytes(&label.index, &label.field);
        self.labels.push(label);
    }

    fn remove_labels_without_value(&mut self) {
        let names = &self.by_name;
        self.labels.retain(|label| {
            let stays = names.contains_key(&label.field);
            self.bytes -= if stays { 0 } else { label_bytes(&label.index, &label.field) };
            stays
        });
    }

    /// Makes the labels those of the session under another id. Labels of removed fields go.
    pub(super) fn rename(&mut self, session: &SessionId) {
        self.labels.iter_mut().for_each(|label| label.session = *session);
        self.remove_labels_without_value();
    }

    fn remove_labels(&mut self, is_removed: impl Fn(&Label) -> bool) {
        self.labels.retain(|label| {
            let stays = !is_removed(label);
            self.bytes -= if stays { 0 } else { label_bytes(&label.index, &label.field) };
            stays
        });
    }

    /// Returns the total size after the changes.
    #[inline]
    pub(super) fn bytes_after(&self, changes: &[Change<'_>]) -> usize {
        let (mut added, mut removed) = (0, 0);
        for change in changes {
            removed += self.bytes_of_field(change.field());
            if let Change::Set { field, value, .. } = change {
                added += field_bytes(field, value);
            }
        }
        self.bytes + added - removed
    }

    /// Carries out the changes, and returns how many of the removed fields existed.
    pub(super) fn apply(&mut self, changes: &[Change<'_>], now: Duration) -> u64 {
        let mut removed = 0;
        for change in changes {
            match change {
                Change::Set { field, value, ttl } => self.set(field, value, *ttl, now),
                Change::Remove { field } => removed += u64::from(self.remove(field)),
            }
        }
        removed
    }

    /// Sets a field's own expiry, and returns whether the field exists.
    pub(super) fn expire_in(&mut self, field: &str, ttl: Duration, now: Duration) -> bool {
        let expires_at = self.expiry(Some(ttl), now);
        self.by_name.get_mut(field).map(|stored| stored.expires_at = expires_at).is_some()
    }

    /// Stores a copy. A slice of a large buffer would keep the whole buffer in memory for as long
    /// as the session lives.
    fn set(&mut self, field: &str, value: &[u8], ttl: Option<Duration>, now: Duration) {
        let stored =
            StoredField { value: Bytes::copy_from_slice(value), expires_at: self.expiry(ttl, now) };
        self.bytes = self.bytes + field_bytes(field, value) - self.bytes_of_field(field);
        self.by_name.insert(field.into(), stored);
    }

    fn remove(&mut self, field: &str) -> bool {
        self.bytes -= self.bytes_of_field(field);
        self.by_name.remove(field).is_some()
    }

    fn bytes_of_field(&self, field: &str) -> usize {
        self.by_name.get(field).map_or(0, |stored| field_bytes(field, &stored.value))
    }

    fn expiry(&mut self, ttl: Option<Duration>, now: Duration) -> Option<Duration> {
        let expires_at = now.saturating_add(ttl?);
        self.next_expiry =
            Some(self.next_expiry.map_or(expires_at, |next_expiry| next_expiry.min(expires_at)));
        Some(expires_at)
    }

    /// Returns the total size, counted again.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let fields = self.by_name.iter().map(|(name, stored)| field_bytes(name, &stored.value));
        let labels = self.labels.iter().map(|label| label_bytes(&label.index, &label.field));
        fields.chain(labels).sum()
    }
}

/// Returns a test for the fields that a rotation keeps or changes.
pub(super) fn stays_after<'a>(rotation: &Rotation<'a>) -> impl Fn(&str) -> bool + use<'a> {
    let names = rotation.keep_only.map(|kept| {
        let changed = rotation.changes.iter().map(|change| match change {
            Change::Set { field, .. } | Change::Remove { field } => *field,
        });
        kept.iter().copied().chain([PERMANENT_FIELD]).chain(changed).collect::<BTreeSet<_>>()
    });
    move |name| names.as_ref().is_none_or(|names| names.contains(name))
}
