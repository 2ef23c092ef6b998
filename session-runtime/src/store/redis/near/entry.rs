//! The kept fields of a session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::Limits;
use super::lease::Lease;
use super::moment::{Micros, Moment};
use crate::store::NearValues;

/// The kept fields of a session. All came over the same connection, and the session has not changed
/// in between, as far as the server told.
pub(super) struct Entry {
    /// The whole key of the session.
    key: Box<str>,
    lease: Arc<Lease>,
    epoch: u64,
    fields: SmallVec<[KeptField; 2]>,
    /// The time until the session expires, as of a moment.
    expiry: (Moment, Micros),
    refresh_begun: Moment,
    /// A read got values from here.
    is_used: bool,
}

/// A field as the server had it at some moment.
pub(super) struct KeptField {
    pub(super) name: &'static str,
    pub(super) value: Option<Bytes>,
    /// The number of the snapshot that the field is from.
    pub(super) snapshot: u64,
    /// The time when the question for the field was sent.
    pub(super) sent: Moment,
    /// The time from then on until the field is read again, or may have expired.
    pub(super) lasts: Micros,
}

/// The time until a refresh of the expiry that showed no effect is repeated.
const REFRESH_AGAIN: Duration = Duration::from_secs(5);

impl Entry {
    pub(super) fn new(key: &str, lease: &Arc<Lease>, epoch: u64, expiry: (Moment, Micros)) -> Self {
        let (lease, fields) = (Arc::clone(lease), SmallVec::new());
        let refresh_begun = Moment::long_ago();
        Self { key: key.into(), lease, epoch, fields, expiry, refresh_begun, is_used: false }
    }

    pub(super) fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    pub(super) fn is_used(&self) -> bool {
        self.is_used
    }

    pub(super) fn is_under(&self, key: &str) -> bool {
        *self.key == *key
    }

    pub(super) fn is_over(&self, lease: &Lease) -> bool {
        self.lease.id() == lease.id()
    }

    pub(super) fn add(&mut self, field: KeptField) {
        self.fields.push(field);
    }

    /// Adds the other fields of an earlier entry, if the session has not changed since.
    pub(super) fn add_fields_of(&mut self, earlier: Self) {
        if self.is_over(&earlier.lease) && self.epoch == earlier.epoch && self.key == earlier.key {
            let Self { fields, is_used, .. } = earlier;
            let is_new = |field: &KeptField| self.fields.iter().all(|own| own.name != field.name);
            let others = fields.into_iter().filter(is_new);
            let others: SmallVec<[_; 2]> = others.collect();
            self.fields.extend(others);
            self.is_used = is_used;
        }
    }

    /// Returns whether a reply differs from one of these fields, if the session has the same key.
    /// `differs` compares the reply with the kept value of the field with this name.
    pub(super) fn differs(
        &self,
        key: &str,
        differs: impl Fn(&str, Option<&Bytes>) -> bool,
    ) -> bool {
        let differs = |kept: &KeptField| differs(kept.name, kept.value.as_ref());
        self.is_under(key) && self.fields.iter().any(differs)
    }

    /// Returns the values of all these fields, which are of one snapshot. The latest sign of life
    /// has this age.
    pub(super) fn values(
        &mut self,
        names: &[&'static str],
        limits: Limits,
        now: Moment,
        lease_age: Micros,
    ) -> Option<NearValues> {
        if lease_age > limits.staleness || !self.lease.holds(self.epoch) {
            return None;
        }
        let mut values = NearValues::with_capacity(names.len());
        let mut snapshot = None;
        for name in names {
            let kept = self.fields.iter().find(|kept| kept.name == *name)?;
            if *snapshot.get_or_insert(kept.snapshot) != kept.snapshot || !kept.counts(limits, now)
            {
                return None;
            }
            values.push(kept.value.clone());
        }
        self.is_used = true;
        Some(values)
    }

    /// Returns whether less than this time is left until the session expires. After that, only a
    /// reader some seconds later gets the same answer.
    pub(super) fn begins_refresh(&mut self, below: Micros, now: Moment) -> bool {
        let (sent, left) = self.expiry;
        let is_due = left.saturating_sub(sent.age(now)) < below
            && self.refresh_begun.age(now) > REFRESH_AGAIN.into();
        if is_due {
            self.refresh_begun = now;
        }
        is_due
    }

    pub(super) fn bytes(&self) -> usize {
        let values = self.fields.iter().map(|kept| kept.value.as_ref().map_or(0, Bytes::len));
        size_of::<Self>()
            + self.key.len()
            + self.fields.len() * size_of::<KeptField>()
            + values.sum::<usize>()
    }
}

impl KeptField {
    fn counts(&self, limits: Limits, now: Moment) -> bool {
        let age = self.sent.age(now);
        age <= limits.age && age < self.lasts
    }
}
