//! Destruction: the session ends, its key is dead.

use std::time::Duration;

use session_runtime::{Destroyed, Lookup, Refresh};

use super::concurrency::beside_writers;
use super::{
    HOUR, MINUTE, Subject, Successor, all, assert_expires_in, assert_is_dead, create, create_for, get, set,
};
use crate::keys::fresh_key;

/// At once, and it stays so.
pub async fn a_destroyed_session_is_dead_to_everything(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(store.destroy(&key, MINUTE).await.unwrap(), Destroyed::Ended);
    assert_is_dead(store, &key).await;
}

/// Whatever the session's expiry was.
pub async fn a_destruction_keeps_its_tombstone_as_long_as_it_says(subject: &impl Subject) {
    for before in [MINUTE, HOUR * 24] {
        let (store, key) = (subject.store(), fresh_key());
        create_for(store, &key, &[set("a", "1")], before).await;
        store.destroy(&key, HOUR).await.unwrap();
        assert_expires_in(subject, &key, HOUR);
    }
}

/// As if it had never been there; and a session that begins there has nothing of the old one.
pub async fn a_destroyed_session_is_missing_once_expired(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    store.destroy(&key, Duration::from_millis(40)).await.unwrap();
    subject.pass(Duration::from_millis(60)).await;
    assert_eq!(store.time_left(&key).await.unwrap(), Lookup::Missing);
    assert_eq!(store.destroy(&key, MINUTE).await.unwrap(), Destroyed::Missing);
    create(store, &key, &[set("b", "1")]).await;
    assert_eq!(get(store, &key, "a").await, None);
}

/// The second time it is dead already, and stays so no longer for it.
pub async fn a_session_is_destroyed_once(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(store.destroy(&key, MINUTE).await.unwrap(), Destroyed::Ended);
    assert_eq!(store.destroy(&key, HOUR).await.unwrap(), Destroyed::Dead);
    assert_expires_in(subject, &key, MINUTE);
}

/// Nor is a tombstone left.
pub async fn a_missing_session_is_not_destroyed(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(store.destroy(&key, MINUTE).await.unwrap(), Destroyed::Missing);
    create_for(store, &key, &[set("a", "1")], Duration::from_millis(40)).await;
    subject.pass(Duration::from_millis(60)).await;
    assert_eq!(store.destroy(&key, MINUTE).await.unwrap(), Destroyed::Missing);
    assert_eq!(store.time_left(&key).await.unwrap(), Lookup::Missing);
}

/// So that logging out can follow it. Nothing is changed: neither the tombstone nor the session where it is now.
pub async fn destroying_a_moved_session_names_where_it_is(subject: &impl Subject) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    store.rotate(&key, successor.rotation()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(store.destroy(&key, HOUR).await.unwrap(), Destroyed::Moved(successor.id));
    }
    assert_expires_in(subject, &key, MINUTE);
    assert_eq!(get(store, &successor.key, "a").await, Some("1".into()));
    assert_eq!(store.destroy(&successor.key, MINUTE).await.unwrap(), Destroyed::Ended);
    assert_eq!(store.destroy(&key, HOUR).await.unwrap(), Destroyed::Moved(successor.id));
}

/// Whatever it asks for: a dead id that is read for days must not be dead for days. A moment later it may be, where nobody waits for it.
pub async fn a_read_prolongs_no_tombstone(subject: &impl Subject) {
    let (store, ended, moved, successor) = (subject.store(), fresh_key(), fresh_key(), Successor::fresh());
    for key in [&ended, &moved] {
        create(store, key, &[set("a", "1")]).await;
    }
    store.destroy(&ended, MINUTE).await.unwrap();
    store.rotate(&moved, successor.rotation()).await.unwrap();
    for key in [&ended, &moved] {
        for refresh in [Refresh::To(HOUR), Refresh::Below { below: HOUR, expires_in: HOUR }, Refresh::No] {
            assert_eq!(store.get(key, "a", refresh).await.unwrap(), Lookup::Dead);
            assert_eq!(store.get_many(key, &["a"], refresh).await.unwrap(), Lookup::Dead);
            assert_eq!(store.contains(key, "a", refresh).await.unwrap(), Lookup::Dead);
        }
        let is_prolonged = || subject.expires_in(key).unwrap() > MINUTE;
        for _ in 0..2_000 {
            if !is_prolonged() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!is_prolonged(), "{:?}", subject.expires_in(key));
        assert_expires_in(subject, key, MINUTE);
        assert_is_dead(store, key).await;
    }
    assert_eq!(store.destroy(&moved, MINUTE).await.unwrap(), Destroyed::Moved(successor.id));
}

/// More fields than are freed in passing.
pub async fn a_large_session_is_destroyed(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    let names: Vec<_> = (0..20_000).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names.iter().map(|name| set(name, name)).collect();
    create(store, &key, &sets).await;
    assert_eq!(store.destroy(&key, MINUTE).await.unwrap(), Destroyed::Ended);
    assert_is_dead(store, &key).await;
}

/// The others find it dead.
pub async fn of_destructions_at_once_one_ends_the_session(subject: &impl Subject) {
    let (store, key) = (subject.store(), &fresh_key());
    create(store, key, &[set("a", "1")]).await;
    let reports: Vec<_> = all((0..20).map(|_| store.destroy(key, MINUTE))).await;
    let ended = reports.iter().filter(|report| matches!(report, Ok(Destroyed::Ended))).count();
    let dead = reports.iter().filter(|report| matches!(report, Ok(Destroyed::Dead))).count();
    assert_eq!((ended, dead), (1, 19));
}

/// Either it came first and the rotation is told, or it is told where to go.
pub async fn a_destruction_beside_a_rotation_knows_the_successor(subject: &impl Subject) {
    for at in 0..20 {
        let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
        create(store, &key, &[set("a", "1")]).await;
        let (rotation, destruction) = (store.rotate(&key, successor.rotation()), store.destroy(&key, MINUTE));
        let (rotated, destroyed) = if at % 2 == 0 {
            futures::future::join(rotation, destruction).await
        } else {
            let (destroyed, rotated) = futures::future::join(destruction, rotation).await;
            (rotated, destroyed)
        };
        match (rotated.unwrap(), destroyed.unwrap()) {
            (Lookup::Found(()), Destroyed::Moved(id)) => assert_eq!(id, successor.id),
            (Lookup::Dead, Destroyed::Ended) => {
                assert_eq!(store.time_left(&successor.key).await.unwrap(), Lookup::Missing);
            }
            reports => panic!("{reports:?}"),
        }
        assert_is_dead(store, &key).await;
    }
}

/// Not by writes that may begin one either; and no writer is told that it is missing.
pub async fn no_session_comes_back_from_a_destruction_beside_writers(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    let (writers, destroyed) = beside_writers(store, &key, store.destroy(&key, MINUTE));
    assert_eq!(destroyed.unwrap(), Destroyed::Ended);
    for writer in writers {
        assert_eq!(writer.stopped_by, Lookup::Dead);
    }
    assert_is_dead(store, &key).await;
}
