//! Tests of the lists of sessions. Random sequences of operations keep the lists in step.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::indexes::MARKED_FOR;
use super::*;
use crate::id::IndexKey;
use crate::store::{Action, IndexChange, IndexEntry, IndexedValue, LoginGuard, Modify, WhenFull};

/// The fields of two indexes.
const FIELDS: [&str; 2] = ["user", "a tenant with a long name"];

/// An operation on the session with the first number.
#[derive(Debug, Clone)]
enum Step {
    /// Sets or removes fields, and fills up the session with other data.
    Write {
        key: u32,
        creates: bool,
        fields: [Option<u8>; 2],
        length: usize,
    },
    Modify {
        key: u32,
        creates: bool,
        field: usize,
        action: u8,
        value: u8,
        keeps_times: bool,
    },
    Rotate {
        key: u32,
        to: u32,
        fields: Option<[Option<u8>; 2]>,
        keeps: Option<usize>,
    },
    Destroy {
        key: u32,
    },
    Expire {
        key: u32,
        field: usize,
    },
    Pass {
        seconds: u64,
    },
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_session_is_in_its_lists(
        steps in prop::collection::vec(step(), 1..80),
        (entries, bytes) in (1_usize..8, 2_000_usize..20_000),
        when_full in prop::sample::select(vec![WhenFull::Refuse, WhenFull::Evict]),
    ) {
        let clock = ManualClock::default();
        let builder = MemoryStore::builder().max_entries(entries).max_bytes(bytes).when_full(when_full);
        let store = builder.clock(&clock).build();
        for step in steps {
            carry_out(&step, &store, &clock);
            check(&store);
            for number in 0..8 {
                assert_is_listed(&store, number);
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::option::of(0_u8..3);
    let fields = move || [value(), value()];
    let key = || 0_u32..8;
    prop_oneof![
        4 => (key(), any::<bool>(), fields(), 0_usize..3000)
            .prop_map(|(key, creates, fields, length)| Step::Write { key, creates, fields, length }),
        3 => (key(), any::<bool>(), 0_usize..2, 0_u8..3, 0_u8..3, any::<bool>()).prop_map(
            |(key, creates, field, action, value, keeps_times)| {
                Step::Modify { key, creates, field, action, value, keeps_times }
            }
        ),
        3 => (key(), key(), prop::option::of(fields()), prop::option::of(0_usize..2))
            .prop_map(|(key, to, fields, keeps)| Step::Rotate { key, to, fields, keeps }),
        1 => key().prop_map(|key| Step::Destroy { key }),
        1 => (key(), 0_usize..2).prop_map(|(key, field)| Step::Expire { key, field }),
        1 => (1_u64..60).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

fn carry_out(step: &Step, store: &MemoryStore, clock: &ManualClock) {
    match *step {
        Step::Write { key: at, creates, fields, length } => {
            let values = fields.map(value_of);
            let lists = lists_of(&values);
            let filling = Change::Set { field: "b", value: vec![0; length].into(), ttl: None };
            let changes: Vec<_> = changes(&values).into_iter().chain([filling]).collect();
            let (id, index) = (id(at), index_changes(&values, &lists));
            let index = Indexing { session: &id, deadline_in: MINUTE, changes: &index };
            let (mode, index) = (mode(creates), Some(index));
            let write = Write { mode, changes: &changes, expires_in: MINUTE, index };
            let _ = store.write(&key(at), write);
        }
        Step::Modify { key: at, creates, field, action, value, keeps_times } => {
            let new = value_of(Some(value));
            let action = match action {
                0 => Action::Replace(new.clone()),
                1 => Action::GetOrSet(new.clone().unwrap()),
                _ => {
                    let value = new.clone();
                    Action::CompareAndSet { expected: Some("1".into()), or_missing: true, value }
                }
            };
            let mut values = [None, None];
            values[field] = new;
            let (id, lists) = (id(at), lists_of(&values));
            let index = [index_changes(&values, &lists).remove(field)];
            let index = Indexing { session: &id, deadline_in: MINUTE, changes: &index };
            let (mode, field, index) = (mode(creates), FIELDS[field], Some(index));
            let (alias, ttl, expires_in) = (None, None, MINUTE);
            let keeps_times = keeps_times && matches!(action, Action::CompareAndSet { .. });
            let mode = if keeps_times { WriteMode::Existing } else { mode };
            let modify = Modify { mode, field, alias, action, ttl, expires_in, index, keeps_times };
            let _ = store.modify(&key(at), modify);
        }
        Step::Rotate { key: at, to, fields, keeps } => {
            let values = fields.unwrap_or_default().map(value_of);
            let (lists, changes) = (lists_of(&values), changes(&values));
            let index = index_changes(&values, &lists);
            let has_changes = fields.is_some();
            let rotation = Rotation {
                successor_key: &key(to),
                successor: &id(to),
                expires_in: MINUTE,
                tombstone_for: MINUTE,
                renews: false,
                changes: if has_changes { &changes } else { &[] },
                keep_only: keeps.map(|field| &FIELDS[field..=field]),
                deadline_in: MINUTE,
                index: if has_changes { &index } else { &[] },
            };
            let _ = store.rotate(&key(at), rotation);
        }
        Step::Destroy { key: at } => drop(store.destroy(&key(at), logout(MINUTE)).unwrap()),
        Step::Expire { key: at, field } => {
            store.expire_field(&key(at), FIELDS[field], MINUTE / 4, MINUTE).unwrap();
        }
        Step::Pass { seconds } => clock.advance(Duration::from_secs(seconds)),
    }
}

fn mode(creates: bool) -> WriteMode {
    if creates { WriteMode::Create } else { WriteMode::Existing }
}

fn value_of(number: Option<u8>) -> Option<Bytes> {
    number.map(|number| number.to_string().into())
}

fn lists_of(values: &[Option<Bytes>; 2]) -> [Option<IndexKey>; 2] {
    std::array::from_fn(|at| Some(IndexKey::new("test", FIELDS[at], values[at].as_ref()?)))
}

fn changes(values: &[Option<Bytes>; 2]) -> Vec<Change<'static>> {
    let changes = FIELDS.iter().zip(values).map(|(field, value)| match value {
        Some(value) => Change::Set { field, value: value.clone(), ttl: None },
        None => Change::Remove { field },
    });
    changes.collect()
}

fn index_changes<'a>(
    values: &'a [Option<Bytes>; 2],
    lists: &'a [Option<IndexKey>; 2],
) -> Vec<IndexChange<'a>> {
    let changes = (0..2).map(|at| {
        let guard = LoginGuard::default();
        let entry = lists[at].as_ref().zip(values[at].as_ref());
        let entry = entry.map(|(key, value)| {
            let value = IndexedValue::exact(value.clone());
            IndexEntry { key: key.clone(), value, guard }
        });
        IndexChange { index: FIELDS[at], field: FIELDS[at], entry }
    });
    changes.collect()
}

fn assert_is_listed(store: &MemoryStore, number: u32) {
    let values = store.get_many(&key(number), &FIELDS, Refresh::No).unwrap();
    let Lookup::Found(values) = values else { return };
    let values: [_; 2] = values.try_into().unwrap();
    for list in lists_of(&values).iter().flatten() {
        assert!(entries(store, list).contains(&id(number)));
    }
}

fn entries(store: &MemoryStore, list: &IndexKey) -> Vec<SessionId> {
    store.with_entries(|entries, _| entries.indexes.sessions(list).copied().collect())
}

/// Marks that no longer count take no memory.
#[test]
fn old_marks_are_forgotten() {
    let (store, clock) = store();
    for number in 0..100_u32 {
        let list = IndexKey::new("test", "user", &number.to_be_bytes());
        store.with_entries(|entries, now| entries.indexes.mark(&list, now));
        clock.advance(MARKED_FOR / 4);
    }
    let lengths = store.entries.lock().unwrap().indexes.lengths();
    assert!(lengths.0 <= 5 && lengths.1 <= 5, "{lengths:?}");
}

/// A label may replace the label of a field with a shorter name.
#[test]
fn a_longer_label_needs_room() {
    let mut rooms = BTreeMap::new();
    for bytes in 2_000..2_600 {
        let store = MemoryStore::builder().max_bytes(bytes).build();
        let (one, id) = (Bytes::from_static(b"1"), id(0));
        let list = IndexKey::new("test", "user", &one);
        let mut results = Vec::new();
        for field in FIELDS {
            let guard = LoginGuard::default();
            let value = IndexedValue::exact(one.clone());
            let entry = Some(IndexEntry { key: list.clone(), value, guard });
            let change = IndexChange { index: "user", field, entry };
            let index = Some(Indexing { session: &id, deadline_in: MINUTE, changes: &[change] });
            let changes = [Change::Set { field, value: one.clone(), ttl: None }];
            let mode = WriteMode::Create;
            let write = Write { mode, changes: &changes, expires_in: MINUTE, index };
            results.push(store.write(&key(0), write).is_ok());
            check(&store);
        }
        *rooms.entry(results).or_insert(0) += 1;
    }
    assert!(rooms.len() > 1, "{rooms:?}");
}
