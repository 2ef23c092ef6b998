//! Tests with random sequences of operations. The counters stay right, the bounds are kept, and
//! nothing else is lost than documented.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::store::{Action, WhenFull};

/// An operation on the session with this number.
#[derive(Debug, Clone)]
enum Step {
    Write { key: u32, creates: bool, field: u8, length: usize, ttl: Option<u64>, expires_in: u64 },
    Remove { key: u32, field: u8 },
    Append { key: u32, field: u8, alias: u8, length: usize },
    Read { key: u32, expires_in: u64 },
    ExpireField { key: u32, field: u8, ttl: u64 },
    Rotate { key: u32, to: u32 },
    Destroy { key: u32 },
    Pass { seconds: u64 },
}

/// The expected contents of a store without bounds. For each key, the model has the fields of the
/// live session, with length and expiry of each value.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    used: u64,
    live: BTreeMap<u32, Session>,
}

#[derive(Debug, Clone)]
struct Session {
    expires_at: u64,
    used_at: u64,
    fields: BTreeMap<String, (usize, Option<u64>)>,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn counted_sizes_match_the_content_and_the_bound(
        steps in prop::collection::vec(step(), 1..80),
        (entries, bytes) in (1_usize..8, 0_usize..30_000),
        when_full in prop::sample::select(vec![WhenFull::Refuse, WhenFull::Evict]),
    ) {
        let clock = ManualClock::default();
        let builder = MemoryStore::builder().max_entries(entries).max_bytes(bytes).when_full(when_full);
        let store = builder.clock(&clock).build();
        let mut model = Model::default();
        for step in steps {
            model.carry_out(&step, &store, &clock);
            check(&store);
            model.compare(&store, when_full);
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let (key, field, length) = (0_u32..8, 0_u8..4, prop_oneof![0_usize..50, 0_usize..9000]);
    let (ttl, expires_in) = (prop::option::of(1_u64..50), 1_u64..200);
    prop_oneof![
        4 => (key.clone(), any::<bool>(), field.clone(), length.clone(), ttl, expires_in.clone()).prop_map(
            |(key, creates, field, length, ttl, expires_in)| Step::Write { key, creates, field, length, ttl, expires_in }
        ),
        1 => (key.clone(), field.clone()).prop_map(|(key, field)| Step::Remove { key, field }),
        2 => (key.clone(), field.clone(), field.clone(), length)
            .prop_map(|(key, field, alias, length)| Step::Append { key, field, alias, length }),
        2 => (key.clone(), expires_in).prop_map(|(key, expires_in)| Step::Read { key, expires_in }),
        1 => (key.clone(), field, 1_u64..50).prop_map(|(key, field, ttl)| Step::ExpireField { key, field, ttl }),
        2 => (key.clone(), key.clone()).prop_map(|(key, to)| Step::Rotate { key, to }),
        1 => key.prop_map(|key| Step::Destroy { key }),
        2 => (1_u64..60).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

impl Model {
    fn carry_out(&mut self, step: &Step, store: &MemoryStore, clock: &ManualClock) {
        let seconds = Duration::from_secs;
        match *step {
            Step::Write { key: at, creates, field, length, ttl, expires_in } => {
                let name = field.to_string();
                let value = vec![0; length].into();
                let changes = [Change::Set { field: &name, value, ttl: ttl.map(seconds) }];
                let mode = if creates { WriteMode::Create } else { WriteMode::Existing };
                let write =
                    Write { mode, changes: &changes, expires_in: seconds(expires_in), index: None };
                if let Ok(Lookup::Found(_)) = store.write(&key(at), write) {
                    let expires_at = ttl.map(|ttl| self.now + ttl);
                    self.used(at, expires_in).fields.insert(name, (length, expires_at));
                }
            }
            Step::Remove { key: at, field } => {
                let name = field.to_string();
                let changes = [Change::Remove { field: &name }];
                let write = Write {
                    mode: WriteMode::Existing,
                    changes: &changes,
                    expires_in: seconds(60),
                    index: None,
                };
                if let Lookup::Found(_) =
                    store.write(&key(at), write).expect("removals always have room")
                {
                    self.used(at, 60).fields.remove(&name);
                }
            }
            Step::Append { key: at, field, alias, length } => {
                let (name, former) = (field.to_string(), format!("former {alias}"));
                let action = Action::Replace(Some(vec![0; length].into()));
                let modify = Modify {
                    mode: WriteMode::Create,
                    field: &name,
                    alias: Some(&former),
                    action,
                    ttl: None,
                    expires_in: seconds(60),
                    index: None,
                    keeps_times: false,
                };
                if let Ok(Lookup::Found(_)) = store.modify(&key(at), modify) {
                    self.used(at, 60).fields.insert(name, (length, None));
                }
            }
            Step::Read { key: at, expires_in } => {
                if let Lookup::Found(_) =
                    store.get(&key(at), "0", Refresh::To(seconds(expires_in))).unwrap()
                {
                    self.used(at, expires_in);
                }
            }
            Step::ExpireField { key: at, field, ttl } => {
                let name = field.to_string();
                let is_there =
                    store.expire_field(&key(at), &name, seconds(ttl), seconds(60)).unwrap();
                if let Lookup::Found(is_there) = is_there {
                    let expires_at = Some(self.now + ttl);
                    let held =
                        self.used(at, 60).fields.get_mut(&name).map(|held| held.1 = expires_at);
                    assert_eq!(held.is_some(), is_there);
                }
            }
            Step::Rotate { key: at, to } => {
                let rotation = Rotation {
                    successor_key: &key(to),
                    successor: &id(to),
                    expires_in: seconds(60),
                    tombstone_for: seconds(90),
                    renews: false,
                    changes: &[],
                    keep_only: None,
                    deadline_in: Duration::from_secs(3_600),
                    index: &[],
                };
                let is_live = self.live.contains_key(&at);
                let rotated = store.rotate(&key(at), rotation);
                if is_live && matches!(rotated, Ok(Lookup::Found(()))) {
                    let session = self.live.remove(&at).expect("it is live");
                    self.live.insert(to, session);
                    self.used(to, 60);
                }
                assert!(
                    rotated.is_ok()
                        || self.live.contains_key(&to)
                        || store.expires_in(&key(to)).unwrap() == Lookup::Dead
                );
            }
            Step::Destroy { key: at } => {
                let was_live = self.live.remove(&at).is_some();
                assert_eq!(
                    store.destroy(&key(at), logout(seconds(90))).unwrap() == Destroyed::Ended,
                    was_live
                );
            }
            Step::Pass { seconds: passed } => {
                clock.advance(seconds(passed));
                self.now += passed;
            }
        }
        self.expire();
    }

    /// Returns a live session, creating a missing session.
    fn used(&mut self, at: u32, expires_in: u64) -> &mut Session {
        self.used += 1;
        let begun = Session { expires_at: 0, used_at: 0, fields: BTreeMap::new() };
        let session = self.live.entry(at).or_insert(begun);
        (session.expires_at, session.used_at) = (self.now + expires_in, self.used);
        session
    }

    fn expire(&mut self) {
        let now = self.now;
        self.live.retain(|_, session| session.expires_at > now);
        for session in self.live.values_mut() {
            session
                .fields
                .retain(|_, (_, expires_at)| expires_at.is_none_or(|expires_at| expires_at > now));
        }
    }

    /// Checks that every live session is as expected. With eviction, the least recently used
    /// sessions may be missing.
    fn compare(&mut self, store: &MemoryStore, when_full: WhenFull) {
        let is_there = |at: u32| store.expires_in(&key(at)).unwrap();
        let (kept, lost): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.live)
            .into_iter()
            .partition(|(at, _)| is_there(*at) != Lookup::Missing);
        assert!(lost.is_empty() || when_full == WhenFull::Evict, "{lost:?}");
        let last_lost = lost.values().map(|session| session.used_at).max();
        assert!(
            kept.values().all(|session| Some(session.used_at) > last_lost),
            "{kept:?} {lost:?}"
        );
        for at in 0..8 {
            let expected = kept
                .get(&at)
                .map(|session| Lookup::Found(Duration::from_secs(session.expires_at - self.now)));
            let found = is_there(at);
            assert!(
                expected.map_or(!matches!(found, Lookup::Found(_)), |expected| expected == found),
                "{at} {found:?}"
            );
        }
        // A read marks a session as used. Reading in order of last use keeps that order.
        let mut by_use: Vec<_> = kept.iter().collect();
        by_use.sort_by_key(|(_, session)| session.used_at);
        for (at, session) in by_use {
            let names = ["0", "1", "2", "3"];
            let expected =
                names.map(|name| session.fields.get(name).map(|(length, _)| *length)).to_vec();
            let found = store.get_many(&key(*at), &names, Refresh::No).unwrap();
            let lengths = |values: Vec<Option<Bytes>>| {
                values.iter().map(|value| Some(value.as_ref()?.len())).collect()
            };
            assert_eq!(found.map(lengths), Lookup::Found(expected));
        }
        self.live = kept;
    }
}
