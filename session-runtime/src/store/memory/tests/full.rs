//! Tests of a full store.

use super::*;
use crate::store::{Action, Modify, WhenFull};

const LARGE: usize = 4000;

#[test]
fn a_full_store_refuses_new_sessions_and_serves_live_ones() {
    let (store, clock) = bounded(3, usize::MAX, WhenFull::Refuse);
    for at in 0..3 {
        create(&store, &key(at), MINUTE);
    }
    let error = put(&store, &key(3), WriteMode::Create, 1).unwrap_err();
    assert!(error.is_refused() && !error.is_unavailable());
    assert_eq!(store.expires_in(&key(3)).unwrap(), Lookup::Missing);
    for at in 0..3 {
        assert_eq!(put(&store, &key(at), WriteMode::Create, LARGE).unwrap(), Lookup::Found(0));
    }
    clock.advance(MINUTE * 61);
    assert_eq!(put(&store, &key(3), WriteMode::Create, 1).unwrap(), Lookup::Found(0));
}

#[test]
fn a_write_that_has_no_room_changes_nothing() {
    let (store, _) = bounded(10, 9000, WhenFull::Refuse);
    for at in 0..2 {
        create(&store, &key(at), MINUTE);
    }
    put(&store, &key(0), WriteMode::Existing, LARGE).unwrap();
    let changes = [
        Change::Remove { field: "a" },
        Change::Set { field: "b", value: vec![1; LARGE].into(), ttl: None },
    ];
    let write =
        Write { mode: WriteMode::Existing, changes: &changes, expires_in: MINUTE * 9, index: None };
    assert!(store.write(&key(1), write).unwrap_err().is_refused());
    assert_eq!(store.get(&key(1), "a", Refresh::No).unwrap(), Lookup::Found(Some("1".into())));
    assert_eq!(store.contains(&key(1), "b", Refresh::No).unwrap(), Lookup::Found(false));
    assert_eq!(store.expires_in(&key(1)).unwrap(), Lookup::Found(MINUTE));
    check(&store);
}

#[test]
fn a_value_may_be_replaced_by_a_value_of_the_same_size() {
    let (store, _) = bounded(1, 5400, WhenFull::Refuse);
    put(&store, &key(0), WriteMode::Create, LARGE).unwrap();
    assert!(put(&store, &key(0), WriteMode::Existing, LARGE + 100).unwrap_err().is_refused());
    for length in [LARGE, 1, LARGE] {
        assert_eq!(put(&store, &key(0), WriteMode::Existing, length).unwrap(), Lookup::Found(0));
    }
}

#[test]
fn the_least_recently_used_session_is_evicted() {
    let (store, _) = bounded(3, usize::MAX, WhenFull::Evict);
    for at in 0..3 {
        create(&store, &key(at), MINUTE);
    }
    assert_eq!(store.contains(&key(0), "a", Refresh::No).unwrap(), Lookup::Found(true));
    put(&store, &key(1), WriteMode::Existing, 1).unwrap();
    create(&store, &key(3), MINUTE);
    let are_there = [0, 1, 2, 3].map(|at| store.expires_in(&key(at)).unwrap() != Lookup::Missing);
    assert_eq!(are_there, [true, true, false, true]);
}

/// The session that grows makes no room for itself.
#[test]
fn a_change_that_keeps_times_is_no_use_of_the_session() {
    let (store, _) = bounded(3, 7000, WhenFull::Evict);
    for at in 0..3 {
        create(&store, &key(at), MINUTE);
    }
    for (value, length, there) in [("1", 1, [true; 3]), ("2", LARGE, [true, false, true])] {
        let action = Action::CompareAndSet {
            expected: Some(value.into()),
            or_missing: false,
            value: Some("2".repeat(length).into()),
        };
        let change = Modify { expires_in: MINUTE * 9, ..keeping_times(action) };
        let swapped = Lookup::Found(Modified::Swapped(true));
        assert_eq!(store.modify(&key(0), change).unwrap(), swapped);
        assert_eq!(store.expires_in(&key(0)).unwrap(), Lookup::Found(MINUTE));
        let are_there = [0, 1, 2].map(|at| store.expires_in(&key(at)).unwrap() != Lookup::Missing);
        assert_eq!(are_there, there);
        check(&store);
    }
    create(&store, &key(3), MINUTE);
    let are_there = [0, 2].map(|at| store.expires_in(&key(at)).unwrap() != Lookup::Missing);
    assert_eq!(are_there, [false, true]);
}

fn keeping_times(action: Action) -> Modify<'static> {
    Modify {
        mode: WriteMode::Existing,
        field: "a",
        alias: None,
        action,
        ttl: None,
        expires_in: MINUTE,
        index: None,
        keeps_times: true,
    }
}

#[test]
fn expired_entries_make_room_at_once() {
    let (store, clock) = bounded(usize::MAX, 14_000, WhenFull::Refuse);
    for at in 0..10 {
        create(&store, &key(at), MINUTE);
    }
    clock.advance(MINUTE);
    assert_eq!(put(&store, &key(10), WriteMode::Create, 12_000).unwrap(), Lookup::Found(0));
}

#[test]
fn tombstones_make_room_for_new_sessions() {
    for when_full in [WhenFull::Refuse, WhenFull::Evict] {
        let (store, _) = bounded(3, usize::MAX, when_full);
        for at in 0..3 {
            create(&store, &key(at), MINUTE);
        }
        for at in 0..2 {
            store.destroy(&key(at), logout(MINUTE)).unwrap();
            create(&store, &key(at + 10), MINUTE);
        }
        let found =
            [0, 1, 2, 10, 11].map(|at| store.expires_in(&key(at)).unwrap() != Lookup::Missing);
        assert_eq!(found, [false, false, true, true, true]);
    }
}

#[test]
fn a_session_larger_than_the_store_evicts_nothing() {
    let (store, _) = bounded(10, 9000, WhenFull::Evict);
    for at in 0..3 {
        create(&store, &key(at), MINUTE);
    }
    assert!(put(&store, &key(2), WriteMode::Existing, 9000).unwrap_err().is_refused());
    assert!(put(&store, &key(3), WriteMode::Create, 9000).unwrap_err().is_refused());
    assert_eq!(store.inspect(&key(0)).1, 3);
    assert_eq!(put(&store, &key(2), WriteMode::Existing, 7000).unwrap(), Lookup::Found(0));
    assert_eq!(store.inspect(&key(0)).1, 1);
}

#[test]
fn many_creations_stay_within_the_bound() {
    for when_full in [WhenFull::Refuse, WhenFull::Evict] {
        let (store, clock) = bounded(1000, 2_000_000, when_full);
        for at in 0..20_000 {
            clock.advance(Duration::from_millis(1));
            let _ = put(&store, &key(at), WriteMode::Create, 100);
        }
        check(&store);
        assert_eq!(store.inspect(&key(0)).1, 1000);
    }
}

#[test]
fn rotations_and_destructions_go_on_and_the_oldest_tombstones_make_room() {
    for when_full in [WhenFull::Refuse, WhenFull::Evict] {
        let (store, _) = bounded(3, usize::MAX, when_full);
        create(&store, &key(0), MINUTE);
        create(&store, &key(1), MINUTE);
        for at in 1..100 {
            assert_eq!(rotate(&store, at, at + 1), Lookup::Found(()));
            check(&store);
            assert_eq!(store.expires_in(&key(at)).unwrap(), Lookup::Dead);
            assert_eq!(store.expires_in(&key(at - 1)).unwrap() == Lookup::Missing, at > 1);
        }
        assert_eq!(store.destroy(&key(100), logout(MINUTE)).unwrap(), Destroyed::Ended);
        assert_eq!(store.destroy(&key(0), logout(MINUTE)).unwrap(), Destroyed::Ended);
        assert_eq!(store.inspect(&key(0)).1, 3);
    }
}

#[test]
fn a_rotation_in_a_store_full_of_live_sessions_leaves_no_tombstone() {
    for when_full in [WhenFull::Refuse, WhenFull::Evict] {
        let (store, _) = bounded(2, usize::MAX, when_full);
        create(&store, &key(0), MINUTE);
        create(&store, &key(1), MINUTE);
        assert_eq!(rotate(&store, 1, 2), Lookup::Found(()));
        assert_eq!(store.expires_in(&key(1)).unwrap(), Lookup::Missing);
        for live in [0, 2] {
            assert_eq!(
                store.get(&key(live), "a", Refresh::No).unwrap(),
                Lookup::Found(Some("1".into()))
            );
        }
    }
}

#[test]
fn a_refresh_that_shortens_an_expiry_makes_room_when_it_is_over() {
    let (store, clock) = bounded(1, usize::MAX, WhenFull::Refuse);
    create(&store, &key(0), MINUTE * 60);
    store.get(&key(0), "a", Refresh::To(MINUTE)).unwrap();
    clock.advance(MINUTE);
    create(&store, &key(1), MINUTE);
}

#[test]
fn nothing_fits_a_store_without_room() {
    for when_full in [WhenFull::Refuse, WhenFull::Evict] {
        for (entries, bytes) in [(0, usize::MAX), (usize::MAX, 0)] {
            let (store, _) = bounded(entries, bytes, when_full);
            assert!(put(&store, &key(0), WriteMode::Create, 1).unwrap_err().is_refused());
        }
    }
}

fn bounded(entries: usize, bytes: usize, when_full: WhenFull) -> (MemoryStore, ManualClock) {
    let clock = ManualClock::default();
    let builder = MemoryStore::builder().max_entries(entries).max_bytes(bytes).when_full(when_full);
    (builder.clock(&clock).build(), clock)
}

/// Sets the field `b` to a value of this many bytes.
fn put(
    store: &MemoryStore,
    key: &SessionKey,
    mode: WriteMode,
    length: usize,
) -> Result<Lookup<u64>, StoreError> {
    let changes = [Change::Set { field: "b", value: vec![b'x'; length].into(), ttl: None }];
    store.write(key, Write { mode, changes: &changes, expires_in: MINUTE * 60, index: None })
}

fn rotate(store: &MemoryStore, from: u32, to: u32) -> Lookup<()> {
    let (successor_key, successor) = (&key(to), &id(to));
    let rotation = Rotation {
        successor_key,
        successor,
        expires_in: MINUTE * 60,
        tombstone_for: MINUTE * 5,
        renews: false,
        changes: &[],
        keep_only: None,
        deadline_in: Duration::from_secs(3_600),
        index: &[],
    };
    store.rotate(&key(from), rotation).unwrap()
}
