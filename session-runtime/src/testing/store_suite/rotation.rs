//! Rotation. The session continues under another key, and the old key is dead.

use super::support::*;
use super::writers::beside_writers;

/// Every byte stays, with the permanent field, and the new key accepts writes.
pub async fn a_rotation_keeps_everything(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1"), set("b", "\u{0}ä\r\n"), set("of no schema", "")]).await;
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    for (field, value) in
        [("a", "1"), ("b", "\u{0}ä\r\n"), ("of no schema", ""), (PERMANENT_FIELD, "")]
    {
        assert_eq!(get(store, &successor.key, field).await, Some(Bytes::from(value)));
    }
    assert_eq!(write(store, &successor.key, &[set("c", "3"), remove("a")]).await, Lookup::Found(1));
    assert_eq!(get(store, &successor.key, "c").await, Some("3".into()));
}

/// The key is dead at once, and stays dead.
pub async fn a_rotated_key_is_dead_to_everything(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    store.rotate(&key, successor.rotation()).await.unwrap();
    assert_is_dead(store, &key).await;
    assert_eq!(get(store, &successor.key, "a").await, Some("1".into()));
}

/// A successor outlives the tombstone that names the successor's id.
pub async fn a_rotated_key_is_missing_once_expired(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    let rotation = Rotation { tombstone_for: MOMENT, ..successor.rotation() };
    store.rotate(&key, rotation).await.unwrap();
    subject.advance(LATER).await;
    assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Missing);
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Missing);
    assert_eq!(get(store, &successor.key, "a").await, Some("1".into()));
}

/// In a chain of rotations, each tombstone names the next id.
pub async fn a_rotated_session_can_be_rotated_again(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let (first, second) = (Successor::fresh(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    store.rotate(&key, first.rotation()).await.unwrap();
    assert_eq!(store.rotate(&first.key, second.rotation()).await.unwrap(), Lookup::Found(()));
    assert_eq!(get(store, &second.key, "a").await, Some("1".into()));
    assert_eq!(
        store.destroy(&key, logout(MINUTE)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Rotated(first.id))
    );
    assert_eq!(
        store.destroy(&first.key, logout(MINUTE)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Rotated(second.id))
    );
}

/// Neither data nor expiry changes, even if the successor has changed since.
pub async fn a_repeated_rotation_succeeds_and_changes_nothing(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    store.rotate(&key, successor.rotation()).await.unwrap();
    write(store, &successor.key, &[set("a", "2")]).await;
    let repeated =
        Rotation { expires_in: HOUR * 9, tombstone_for: HOUR * 9, ..successor.rotation() };
    assert_eq!(store.rotate(&key, repeated).await.unwrap(), Lookup::Found(()));
    assert_eq!(get(store, &successor.key, "a").await, Some("2".into()));
    assert_expires_in(store, &successor.key, HOUR).await;
}

/// The successor may be destroyed, rotated again or expired. The repeated rotation does not succeed
/// then, and changes nothing.
pub async fn a_repeated_rotation_of_an_ended_session_is_dead(subject: &impl StoreUnderTest) {
    for ending in ["destroyed", "rotated", "expired"] {
        let (store, key) = (subject.store(), fresh_key());
        let (successor, next) = (Successor::fresh(), Successor::fresh());
        create(store, &key, &[set("a", "1")]).await;
        let is_expired = ending == "expired";
        let expires_in = if is_expired { MOMENT } else { HOUR };
        let rotation = Rotation { expires_in, ..successor.rotation() };
        store.rotate(&key, rotation).await.unwrap();
        match ending {
            "destroyed" => {
                store.destroy(&successor.key, logout(MINUTE)).await.unwrap();
            }
            "rotated" => {
                store.rotate(&successor.key, next.rotation()).await.unwrap();
            }
            _ => subject.advance(LATER).await,
        }
        assert_eq!(store.rotate(&key, rotation).await.unwrap(), Lookup::Dead, "{ending}");
        let there = store.expires_in(&successor.key).await.unwrap();
        assert_eq!(there, if is_expired { Lookup::Missing } else { Lookup::Dead }, "{ending}");
        assert_eq!(
            store.destroy(&key, logout(MINUTE)).await.unwrap(),
            Destroyed::Dead(TombstoneKind::Rotated(successor.id))
        );
    }
}

/// The second rotation finds the key dead, and leaves nothing under the successor's key.
pub async fn a_rotation_to_another_successor_is_dead(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let (first, second) = (Successor::fresh(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    store.rotate(&key, first.rotation()).await.unwrap();
    assert_eq!(store.rotate(&key, second.rotation()).await.unwrap(), Lookup::Dead);
    assert_eq!(store.expires_in(&second.key).await.unwrap(), Lookup::Missing);
    assert_eq!(
        store.destroy(&key, logout(MINUTE)).await.unwrap(),
        Destroyed::Dead(TombstoneKind::Rotated(first.id))
    );
}

/// Neither key exists afterwards.
pub async fn a_missing_session_is_not_rotated(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Missing);
    create_for(store, &key, &[set("a", "1")], MOMENT).await;
    subject.advance(LATER).await;
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Missing);
    for key in [&key, &successor.key] {
        assert_eq!(store.expires_in(key).await.unwrap(), Lookup::Missing);
    }
}

/// The tombstone stays as before.
pub async fn a_destroyed_session_is_not_rotated(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    store.destroy(&key, logout(MINUTE)).await.unwrap();
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Dead);
    assert_eq!(store.expires_in(&successor.key).await.unwrap(), Lookup::Missing);
    assert_eq!(store.destroy(&key, logout(MINUTE)).await.unwrap(), Destroyed::Dead(LOGGED_OUT));
}

/// A rotation onto another session or a tombstone is refused, and both keys stay as before.
pub async fn a_rotation_overwrites_nothing(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let (live, dead) = (Successor::fresh(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    create(store, &live.key, &[set("a", "2")]).await;
    bury(store, &dead.key, HOUR).await;
    for taken in [&live, &dead] {
        let error = store.rotate(&key, taken.rotation()).await.unwrap_err();
        assert!(!error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
        assert_eq!(get(store, &key, "a").await, Some("1".into()));
        assert_expires_in(store, &key, HOUR).await;
    }
    assert_eq!(get(store, &live.key, "a").await, Some("2".into()));
    assert_is_dead(store, &dead.key).await;
}

/// The session's own key is taken, too.
pub async fn a_rotation_onto_itself_is_refused(subject: &impl StoreUnderTest) {
    let (store, itself) = (subject.store(), Successor::fresh());
    create(store, &itself.key, &[set("a", "1")]).await;
    store.rotate(&itself.key, itself.rotation()).await.unwrap_err();
    assert_eq!(get(store, &itself.key, "a").await, Some("1".into()));
}

/// The session has more fields than a single command can carry.
pub async fn a_large_session_is_rotated_whole(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    let names: Vec<_> = (0..20_000).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names.iter().map(|name| set(name, name)).collect();
    create(store, &key, &sets).await;
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert_is_dead(store, &key).await;
    let removals: Vec<_> = names.iter().map(|name| remove(name)).collect();
    assert_eq!(get(store, &successor.key, "field 19999").await, Some("field 19999".into()));
    assert_eq!(write(store, &successor.key, &removals).await, Lookup::Found(20_000));
}

/// The other rotations find the key dead, and leave nothing.
pub async fn one_of_several_concurrent_rotations_wins(subject: &impl StoreUnderTest) {
    for _ in 0..20 {
        let (store, key) = (subject.store(), &fresh_key());
        create(store, key, &[set("a", "1")]).await;
        let successors: Vec<_> = (0..8).map(|_| Successor::fresh()).collect();
        let rotations = successors.iter().map(|successor| store.rotate(key, successor.rotation()));
        let reports: Vec<_> = all(rotations).await.into_iter().map(Result::unwrap).collect();
        let won: Vec<_> = (0..8).filter(|at| reports[*at] == Lookup::Found(())).collect();
        let [won] = won[..] else { panic!("{reports:?}") };
        for (at, successor) in successors.iter().enumerate() {
            let expected =
                if at == won { (Lookup::Found(()), true) } else { (Lookup::Dead, false) };
            let is_there = store.expires_in(&successor.key).await.unwrap() != Lookup::Missing;
            assert_eq!((reports[at], is_there), expected);
        }
        assert_eq!(
            store.destroy(key, logout(MINUTE)).await.unwrap(),
            Destroyed::Dead(TombstoneKind::Rotated(successors[won].id))
        );
    }
}

/// Each write on the old key is in the successor, or the writer finds the key dead. No writer gets
/// `Missing`.
pub async fn a_rotation_with_concurrent_writes_loses_nothing(subject: &impl StoreUnderTest) {
    let (store, key, successor) = (subject.store(), fresh_key(), Successor::fresh());
    create(store, &key, &[set("a", "1")]).await;
    let (writers, rotated) = beside_writers(store, &key, store.rotate(&key, successor.rotation()));
    assert_eq!(rotated.unwrap(), Lookup::Found(()));
    for writer in writers {
        assert_eq!(writer.stopped_by, Lookup::Dead);
        let removals: Vec<_> = writer.fields.iter().map(|field| remove(field)).collect();
        let kept = try_write(store, &successor.key, &removals).await.unwrap();
        assert_eq!(kept, Lookup::Found(writer.fields.len() as u64));
    }
    assert_is_dead(store, &key).await;
}
