//! Destruction. The session ends, and the key is dead.

use super::support::*;
use super::writers::beside_writers;

/// The key is dead at once, and stays dead.
pub async fn a_destroyed_session_is_dead_to_everything(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(store.destroy(&key, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    assert_is_dead(store, &key).await;
}

/// The key looks as if there had never been a session. A new session has no old fields.
pub async fn a_destroyed_session_is_missing_once_expired(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    store.destroy(&key, logout(MOMENT)).await.unwrap();
    subject.advance(LATER).await;
    assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Missing);
    assert_eq!(store.destroy(&key, logout(MINUTE)).await.unwrap(), Destroyed::Missing);
    create(store, &key, &[set("b", "1")]).await;
    assert_eq!(get(store, &key, "a").await, None);
}

/// The second destruction finds the session dead.
pub async fn a_session_is_destroyed_once(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(store.destroy(&key, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    assert_eq!(store.destroy(&key, logout(HOUR)).await.unwrap(), Destroyed::Dead(LOGGED_OUT));
}

/// A destruction without a session leaves no tombstone.
pub async fn a_missing_session_is_not_destroyed(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(store.destroy(&key, logout(MINUTE)).await.unwrap(), Destroyed::Missing);
    create_for(store, &key, &[set("a", "1")], MOMENT).await;
    subject.advance(LATER).await;
    assert_eq!(store.destroy(&key, logout(MINUTE)).await.unwrap(), Destroyed::Missing);
    assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Missing);
}

/// A logout can follow the successor. The session under the new key does not change.
pub async fn destroying_a_rotated_session_names_its_successor(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    store.rotate(&key, successor.rotation()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            store.destroy(&key, logout(HOUR)).await.unwrap(),
            Destroyed::Dead(TombstoneKind::Rotated(successor.id))
        );
    }
    assert_eq!(get(store, &successor.key, "a").await, Some("1".into()));
    assert_eq!(store.destroy(&successor.key, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    assert_eq!(
        store.destroy(&key, logout(HOUR)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Rotated(successor.id))
    );
}

/// The session has more fields than a store frees at once.
pub async fn a_large_session_is_destroyed(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let names: Vec<_> = (0..20_000).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names.iter().map(|name| set(name, name)).collect();
    create(store, &key, &sets).await;
    assert_eq!(store.destroy(&key, logout(MINUTE)).await.unwrap(), Destroyed::Ended);
    assert_is_dead(store, &key).await;
}

/// The other destructions find the session dead.
pub async fn one_of_several_concurrent_destructions_ends_the_session(
    subject: &impl StoreUnderTest,
) {
    let (store, key) = (subject.store(), &fresh_key());
    create(store, key, &[set("a", "1")]).await;
    let reports: Vec<_> = all((0..20).map(|_| store.destroy(key, logout(MINUTE)))).await;
    let ended = reports.iter().filter(|report| matches!(report, Ok(Destroyed::Ended))).count();
    let dead =
        reports.iter().filter(|report| matches!(report, Ok(Destroyed::Dead(LOGGED_OUT)))).count();
    assert_eq!((ended, dead), (1, 19));
}

/// Either the destruction comes first and the rotation fails, or the destruction returns the
/// successor.
pub async fn a_destruction_with_a_concurrent_rotation_knows_the_successor(
    subject: &impl StoreUnderTest,
) {
    for at in 0..20 {
        let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
        create(store, &key, &[set("a", "1")]).await;
        let (rotation, destruction) =
            (store.rotate(&key, successor.rotation()), store.destroy(&key, logout(MINUTE)));
        let (rotated, destroyed) = if at % 2 == 0 {
            both(rotation, destruction).await
        } else {
            let (destroyed, rotated) = both(destruction, rotation).await;
            (rotated, destroyed)
        };
        match (rotated.unwrap(), destroyed.unwrap()) {
            (Lookup::Found(()), Destroyed::Dead(TombstoneKind::Rotated(id))) => {
                assert_eq!(id, successor.id)
            }
            (Lookup::Dead, Destroyed::Ended) => {
                assert_eq!(store.expires_in(&successor.key).await.unwrap(), Lookup::Missing);
            }
            reports => panic!("{reports:?}"),
        }
        assert_is_dead(store, &key).await;
    }
}

/// Writes that may create a session do not bring this session back. No writer gets `Missing`.
pub async fn a_destruction_with_concurrent_writes_leaves_no_session(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    let (writers, destroyed) = beside_writers(store, &key, store.destroy(&key, logout(MINUTE)));
    assert_eq!(destroyed.unwrap(), Destroyed::Ended);
    for writer in writers {
        assert_eq!(writer.stopped_by, Lookup::Dead);
    }
    assert_is_dead(store, &key).await;
}
