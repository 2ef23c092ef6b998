//! Tests that need access to private parts.

mod bounded;
mod full;
mod indexed;

use super::*;
use crate::clock::ManualClock;
use crate::id::SessionId;
use crate::store::{Change, DestroyReason};

const MINUTE: Duration = Duration::from_secs(60);

fn logout(tombstone_for: Duration) -> Destruction {
    Destruction { reason: DestroyReason::LoggedOut, tombstone_for }
}

#[test]
fn expiry_is_exact() {
    let (store, clock) = store();
    create(&store, &key(0), MINUTE);
    clock.advance(MINUTE - Duration::from_nanos(1));
    assert_eq!(store.get(&key(0), "a", Refresh::No).unwrap(), Lookup::Found(Some("1".into())));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(store.get(&key(0), "a", Refresh::No).unwrap(), Lookup::Missing);
}

#[test]
fn setting_the_time_of_day_expires_nothing_and_revives_nothing() {
    let (store, clock) = store();
    let today = clock.now();
    create(&store, &key(0), MINUTE);
    clock.set(today + MINUTE * 1000);
    assert_eq!(store.contains(&key(0), "a", Refresh::No).unwrap(), Lookup::Found(true));
    clock.advance(MINUTE);
    clock.set(today - MINUTE * 1000);
    assert_eq!(store.contains(&key(0), "a", Refresh::No).unwrap(), Lookup::Missing);
}

#[test]
fn creations_remove_expired_sessions() {
    let (store, clock) = store();
    for at in 0..1000 {
        create(&store, &key(at), MINUTE);
    }
    clock.advance(MINUTE);
    for at in 1000..1300 {
        create(&store, &key(at), MINUTE);
    }
    assert_eq!(store.inspect(&key(0)).1, 300);
}

#[test]
fn a_refreshed_session_is_not_cleared_away_with_its_first_expiry() {
    let (store, clock) = store();
    create(&store, &key(0), MINUTE);
    store.get(&key(0), "a", Refresh::To(MINUTE * 3)).unwrap();
    clock.advance(MINUTE * 2);
    create(&store, &key(1), MINUTE);
    assert_eq!(store.contains(&key(0), "a", Refresh::No).unwrap(), Lookup::Found(true));
    clock.advance(MINUTE);
    create(&store, &key(2), MINUTE);
    assert_eq!(store.inspect(&key(0)), (None, 1));
}

#[test]
fn a_panic_under_the_lock_does_not_lose_the_store() {
    let (store, _) = store();
    create(&store, &key(0), MINUTE);
    let poisoner = store.clone();
    let poisoned = std::thread::spawn(move || {
        let _held = poisoner.entries.lock();
        panic!("on purpose");
    });
    assert!(poisoned.join().is_err());
    assert_eq!(store.get(&key(0), "a", Refresh::No).unwrap(), Lookup::Found(Some("1".into())));
}

#[test]
fn debug_shows_nothing_that_is_stored() {
    let (store, _) = store();
    create(&store, &key(0), MINUTE);
    assert_eq!(format!("{store:?}"), "MemoryStore { .. }");
}

fn store() -> (MemoryStore, ManualClock) {
    let clock = ManualClock::default();
    (MemoryStore::with_clock(&clock), clock)
}

fn key(number: u32) -> SessionKey {
    SessionKey::new("test", &id(number))
}

fn id(number: u32) -> SessionId {
    SessionId::parse(&format!("{number:0>40}")).unwrap()
}

/// Checks the counters and the bounds.
fn check(store: &MemoryStore) {
    store.entries.lock().unwrap().check();
}

fn create(store: &MemoryStore, key: &SessionKey, expires_in: Duration) {
    let changes = [Change::Set { field: "a", value: "1".into(), ttl: None }];
    store
        .write(key, Write { mode: WriteMode::Create, changes: &changes, expires_in, index: None })
        .unwrap();
}
