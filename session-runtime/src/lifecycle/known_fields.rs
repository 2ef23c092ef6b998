//! The fields of a session that a request has seen.

use std::time::Duration;

use smallvec::SmallVec;

use crate::store::{Action, Change, Modified};

/// The fields that existed when the request last read or wrote them. Other requests may have
/// removed fields since.
///
/// This is a hint, because a write to existing fields is cheaper. No more than [`MOST`] fields are
/// kept. A write of many fields takes the store so long that a script makes no difference.
#[derive(Debug, Default)]
pub(crate) struct KnownFields(SmallVec<[&'static str; 6]>);

const MOST: usize = 16;

impl KnownFields {
    pub(crate) fn record(&mut self, field: &'static str, is_there: bool) {
        match (self.0.iter().position(|known| *known == field), is_there) {
            (None, true) if self.0.len() < MOST => self.0.push(field),
            (Some(at), false) => drop(self.0.swap_remove(at)),
            _ => {}
        }
    }

    /// Records changes that were carried out.
    pub(crate) fn record_changes(&mut self, changes: &[Change<'static>]) {
        for change in changes {
            match change {
                Change::Set { field, ttl, .. } => self.record(field, ttl.is_none()),
                Change::Remove { field } => self.record(field, false),
            }
        }
    }

    /// Records an action on a field that may have its own expiry.
    pub(crate) fn record_action(
        &mut self,
        field: &'static str,
        ttl: Option<Duration>,
        action: &Action,
        modified: &Modified,
    ) {
        let removes = match action {
            Action::Replace(value) | Action::CompareAndSet { value, .. } => value.is_none(),
            Action::GetOrSet(_) | Action::AddInteger { .. } | Action::AddFloat { .. } => false,
        };
        if modified.is_carried_out() {
            self.record(field, !removes && ttl.is_none());
        }
    }

    /// Returns whether the changes only give new values to existing fields.
    #[inline]
    pub(crate) fn contains_all(&self, changes: &[Change<'_>]) -> bool {
        let has = |change: &Change<'_>| match change {
            Change::Set { field, ttl: None, .. } => self.0.contains(field),
            _ => false,
        };
        (1..=MOST).contains(&changes.len()) && changes.iter().all(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(field: &'static str) -> Change<'static> {
        Change::Set { field, value: "1".into(), ttl: None }
    }

    #[test]
    fn read_and_written_fields_are_known_and_removed_fields_are_not() {
        let mut known = KnownFields::default();
        assert!(!known.contains_all(&[]) && !known.contains_all(&[set("a")]));
        known.record("a", true);
        known.record("a", true);
        assert!(known.contains_all(&[set("a")]) && !known.contains_all(&[set("a"), set("b")]));
        known.record_changes(&[set("b"), set("c"), Change::Remove { field: "a" }]);
        assert!(known.contains_all(&[set("b"), set("c")]) && !known.contains_all(&[set("a")]));
        assert!(!known.contains_all(&[set("b"), Change::Remove { field: "c" }]));
    }

    #[test]
    fn fields_with_an_expiry_are_not_known() {
        let mut known = KnownFields::default();
        let expiring = Change::Set { field: "a", value: "1".into(), ttl: Some(Duration::MAX) };
        known.record("a", true);
        assert!(!known.contains_all(std::slice::from_ref(&expiring)));
        known.record_changes(&[expiring]);
        assert!(!known.contains_all(&[set("a")]));
    }

    #[test]
    fn an_action_leaves_a_value_or_none() {
        let value = || Some("1".into());
        let swap = |value| Action::CompareAndSet { expected: None, or_missing: true, value };
        let mut known = KnownFields::default();
        for (action, modified, is_there) in [
            (Action::Replace(value()), Modified::Value(None), true),
            (Action::Replace(None), Modified::Value(value()), false),
            (swap(value()), Modified::Swapped(false), false),
            (swap(value()), Modified::Swapped(true), true),
            (swap(None), Modified::Swapped(true), false),
            (Action::GetOrSet("1".into()), Modified::Value(value()), true),
        ] {
            known.record_action("a", None, &action, &modified);
            assert_eq!(known.contains_all(&[set("a")]), is_there, "{action:?} {modified:?}");
        }
        known.record_action(
            "a",
            Some(Duration::MAX),
            &Action::Replace(value()),
            &Modified::Value(None),
        );
        assert!(!known.contains_all(&[set("a")]));
    }

    #[test]
    fn only_some_of_many_fields_are_remembered() {
        const NAMES: [&str; 17] =
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
        let mut known = KnownFields::default();
        NAMES.iter().for_each(|name| known.record(name, true));
        assert!(known.contains_all(&NAMES[..16].iter().map(|name| set(name)).collect::<Vec<_>>()));
        assert!(!known.contains_all(&[set("q")]));
    }
}
