//! The kept fields of a session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::lease::Lease;
use super::moment::Moment;
use super::{NearRules, NearValues};

/// The kept fields of a session. All came over the same connection, and the session has not changed
/// in between, as far as the server told.
pub(super) struct Entry {
    lease: Arc<Lease>,
    epoch: u64,
    fields: SmallVec<[KeptField; 2]>,
    /// The time until the session expires, as of a moment.
    expiry: (Moment, Duration),
    /// The expiry is being refreshed, so that the entry will go.
    is_refreshing: bool,
}

/// A field as the server had it at some moment.
pub(super) struct KeptField {
    pub(super) name: &'static str,
    pub(super) value: Option<Bytes>,
    /// The number of the snapshot that the field is from.
    pub(super) snapshot: u64,
    /// The time when the question for the field was sent.
    pub(super) sent: Moment,
    /// The time after which the field or its session may have expired.
    pub(super) lasts: Duration,
}

impl Entry {
    pub(super) fn new(lease: Arc<Lease>, epoch: u64) -> Self {
        let expiry = (Moment::long_ago(), Duration::ZERO);
        Self { lease, epoch, fields: SmallVec::new(), expiry, is_refreshing: false }
    }

    pub(super) fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Returns whether values of this connection and epoch may be added.
    pub(super) fn is_of(&self, lease: &Lease, epoch: u64) -> bool {
        self.lease.id() == lease.id() && self.epoch == epoch
    }

    /// Adds a field, in place of an earlier value.
    pub(super) fn set(&mut self, field: KeptField) {
        match self.fields.iter_mut().find(|kept| kept.name == field.name) {
            Some(kept) => *kept = field,
            None => self.fields.push(field),
        }
    }

    pub(super) fn set_expiry(&mut self, sent: Moment, left: Duration) {
        self.expiry = (sent, left);
    }

    /// Returns the values of all these fields, which are of one snapshot.
    pub(super) fn values(
        &self,
        names: &[&'static str],
        rules: &NearRules,
        now: Moment,
    ) -> Option<NearValues> {
        let mut values = NearValues::with_capacity(names.len());
        let mut snapshot = None;
        for name in names {
            let kept = self.fields.iter().find(|kept| kept.name == *name)?;
            if *snapshot.get_or_insert(kept.snapshot) != kept.snapshot || !kept.counts(rules, now) {
                return None;
            }
            values.push(kept.value.clone());
        }
        self.lease.holds(self.epoch, now, rules.max_staleness).then_some(values)
    }

    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.fields.iter().any(|kept| kept.name == *name))
    }

    /// Returns whether less than this time is left until the session expires, once for the entry.
    pub(super) fn begins_refresh(&mut self, below: Duration, now: Moment) -> bool {
        let (sent, left) = self.expiry;
        !self.is_refreshing && left.saturating_sub(sent.age(now)) < below && {
            self.is_refreshing = true;
            true
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let values = self.fields.iter().map(|kept| kept.value.as_ref().map_or(0, Bytes::len));
        size_of::<Self>() + self.fields.len() * size_of::<KeptField>() + values.sum::<usize>()
    }
}

impl KeptField {
    fn counts(&self, rules: &NearRules, now: Moment) -> bool {
        let age = self.sent.age(now);
        age <= rules.max_age && age < self.lasts
    }
}
