//! Rotation with changes of fields in the same step.

use super::support::*;
use super::writers::beside_writers;

/// Sets, overwrites and removes fields. Other fields stay.
pub async fn a_rotation_carries_changes_out(subject: &impl StoreUnderTest) {
    let Some((store, key, successor)) = session(subject).await else { return };
    let changes = [set("a", "2"), set("new", "\u{0}"), remove("b"), remove("missing")];
    let rotation = Rotation { changes: &changes, ..successor.rotation() };
    assert_eq!(store.rotate(&key, rotation).await.unwrap(), Lookup::Found(()));
    assert_is_dead(store, &key).await;
    assert_holds(store, &successor.key, &[("a", "2"), ("new", "\u{0}"), ("c", "1")]).await;
    assert_lacks(store, &successor.key, &["b", "missing"]).await;
    assert_expires_in(store, &successor.key, HOUR).await;
}

/// Set fields stay as well, and removed fields go.
pub async fn a_rotation_keeps_only_the_given_fields(subject: &impl StoreUnderTest) {
    let Some((store, key, successor)) = session(subject).await else { return };
    let changes = [set("a", "2"), remove("b")];
    let keep_only = Some(&["b", "c", "missing"][..]);
    let rotation = Rotation { changes: &changes, keep_only, ..successor.rotation() };
    assert_eq!(store.rotate(&key, rotation).await.unwrap(), Lookup::Found(()));
    assert_holds(store, &successor.key, &[("a", "2"), ("c", "1"), (PERMANENT_FIELD, "")]).await;
    assert_lacks(store, &successor.key, &["b", "of no schema", "missing"]).await;
}

/// The permanent field stays, and with it the session.
pub async fn a_rotation_that_keeps_nothing_keeps_the_session(subject: &impl StoreUnderTest) {
    let Some((store, key, successor)) = session(subject).await else { return };
    let rotation = Rotation { keep_only: Some(&[]), ..successor.rotation() };
    assert_eq!(store.rotate(&key, rotation).await.unwrap(), Lookup::Found(()));
    assert_lacks(store, &successor.key, &["a", "b", "c", "of no schema"]).await;
    assert_holds(store, &successor.key, &[(PERMANENT_FIELD, "")]).await;
    assert_eq!(write(store, &successor.key, &[set("a", "3")]).await, Lookup::Found(0));
}

/// The first values stay, and so does a later write.
pub async fn a_repeated_rotation_does_not_repeat_its_changes(subject: &impl StoreUnderTest) {
    let Some((store, key, successor)) = session(subject).await else { return };
    let rotation = Rotation { changes: &[set("a", "2"), remove("b")], ..successor.rotation() };
    store.rotate(&key, rotation).await.unwrap();
    write(store, &successor.key, &[set("a", "3"), set("b", "3")]).await;
    let others = [set("a", "4"), remove("c")];
    let other = Rotation { changes: &others, keep_only: Some(&[]), ..successor.rotation() };
    for repeated in [rotation, other] {
        assert_eq!(store.rotate(&key, repeated).await.unwrap(), Lookup::Found(()));
        assert_holds(store, &successor.key, &[("a", "3"), ("b", "3"), ("c", "1")]).await;
    }
}

/// A missing key stays missing, and a dead key stays dead.
pub async fn a_rotation_of_a_missing_or_dead_key_changes_nothing(subject: &impl StoreUnderTest) {
    let Some((store, key, first)) = session(subject).await else { return };
    let (missing, second) = (fresh_key(), Successor::fresh());
    store.rotate(&key, first.rotation()).await.unwrap();
    let rotation =
        Rotation { changes: &[set("a", "2")], keep_only: Some(&[]), ..second.rotation() };
    assert_eq!(store.rotate(&missing, rotation).await.unwrap(), Lookup::Missing);
    assert_eq!(store.rotate(&key, rotation).await.unwrap(), Lookup::Dead);
    for key in [&missing, &second.key] {
        assert_is_missing(store, key).await;
    }
    assert_holds(store, &first.key, &[("a", "1"), ("b", "1")]).await;
}

/// Another session has the successor's key.
pub async fn a_refused_rotation_changes_nothing(subject: &impl StoreUnderTest) {
    let Some((store, key, taken)) = session(subject).await else { return };
    create(store, &taken.key, &[set("a", "9")]).await;
    let rotation = Rotation { changes: &[set("a", "2")], keep_only: Some(&[]), ..taken.rotation() };
    store.rotate(&key, rotation).await.unwrap_err();
    assert_holds(store, &key, &[("a", "1"), ("b", "1")]).await;
    assert_holds(store, &taken.key, &[("a", "9")]).await;
}

/// A command of a server may carry only some thousand fields.
pub async fn a_rotation_carries_thousands_of_changes_out(subject: &impl StoreUnderTest) {
    let Some((store, key, successor)) = session(subject).await else { return };
    let names = |kind: &str| (0..10_000).map(|at| format!("{kind} {at}")).collect::<Vec<_>>();
    let (lost, removed, kept, added) =
        (names("lost"), names("removed"), names("kept"), names("added"));
    for names in [&lost, &removed, &kept] {
        write(store, &key, &names.iter().map(|name| set(name, name)).collect::<Vec<_>>()).await;
    }
    let mut changes: Vec<_> = added.iter().map(|name| set(name, name)).collect();
    changes.extend(removed.iter().map(|name| remove(name)));
    let keep_only: Vec<_> = kept.iter().map(String::as_str).collect();
    let rotation =
        Rotation { changes: &changes, keep_only: Some(&keep_only), ..successor.rotation() };
    assert_eq!(store.rotate(&key, rotation).await.unwrap(), Lookup::Found(()));
    for (names, expected) in [(&lost, 0), (&removed, 0), (&kept, 10_000), (&added, 10_000)] {
        let removals: Vec<_> = names.iter().map(|name| remove(name)).collect();
        assert_eq!(write(store, &successor.key, &removals).await, Lookup::Found(expected));
    }
}

/// The successor has all values of one rotation, and none of another.
pub async fn of_rotations_with_changes_at_once_one_wins_whole(subject: &impl StoreUnderTest) {
    for _ in 0..20 {
        let Some((store, key, _)) = session(subject).await else { return };
        let successors: Vec<_> = (0..8).map(|_| Successor::fresh()).collect();
        let values: Vec<_> = (10..18).map(|value| value.to_string()).collect();
        let changes: Vec<_> =
            values.iter().map(|value| [set("a", value), set("b", value)]).collect();
        let rotations = successors.iter().zip(&changes).map(|(successor, changes)| {
            store
                .rotate(&key, Rotation { changes, keep_only: Some(&["c"]), ..successor.rotation() })
        });
        let reports: Vec<_> = all(rotations).await.into_iter().map(Result::unwrap).collect();
        let won: Vec<_> = (0..8).filter(|at| reports[*at] == Lookup::Found(())).collect();
        let [won] = won[..] else { panic!("{reports:?}") };
        let value = &*values[won];
        assert_holds(store, &successors[won].key, &[("a", value), ("b", value), ("c", "1")]).await;
    }
}

/// A write on the old key comes before the rotation, or finds the key dead.
pub async fn a_rotation_with_changes_beside_writers_loses_nothing(subject: &impl StoreUnderTest) {
    let Some((store, key, successor)) = session(subject).await else { return };
    let changes = [set("user", "42")];
    let rotation = Rotation { changes: &changes, ..successor.rotation() };
    let (writers, rotated) = beside_writers(store, &key, store.rotate(&key, rotation));
    assert_eq!(rotated.unwrap(), Lookup::Found(()));
    for writer in writers {
        assert_eq!(writer.stopped_by, Lookup::Dead);
        let removals: Vec<_> = writer.fields.iter().map(|field| remove(field)).collect();
        let kept = try_write(store, &successor.key, &removals).await.unwrap();
        assert_eq!(kept, Lookup::Found(writer.fields.len() as u64));
    }
    assert_holds(store, &successor.key, &[("user", "42")]).await;
}

/// A kept field keeps the expiry, and a set field gets a new one or none.
pub async fn a_rotation_with_changes_keeps_and_sets_expiries(subject: &impl StoreUnderTest) {
    let Some((store, key, successor)) = session(subject).await else { return };
    let expiring = |field, ttl| Change::Set { field, value: "1".into(), ttl: Some(ttl) };
    let changes = [expiring("a", MINUTE), set("b", "2")];
    let rotation = Rotation { changes: &changes, keep_only: Some(&["c"]), ..successor.rotation() };
    if !store.supports_field_expiry() {
        store.rotate(&key, rotation).await.unwrap_err();
        assert_holds(store, &key, &[("a", "1"), ("b", "1")]).await;
        return;
    }
    write(store, &key, &[expiring("b", HOUR), expiring("c", HOUR)]).await;
    store.rotate(&key, rotation).await.unwrap();
    for (field, expected) in [("a", Some(MINUTE)), ("b", None), ("c", Some(HOUR))] {
        let Lookup::Found(left) = store.field_expires_in(&successor.key, field).await.unwrap()
        else {
            panic!("the session is live")
        };
        assert_eq!(left.is_some(), expected.is_some(), "{field}");
        assert!(left <= expected, "{field}: {left:?}");
        assert!(expected <= left.map(|left| left + MINUTE / 2), "{field}: {left:?}");
    }
}

/// A live session, if the store can change fields in a rotation.
async fn session(
    subject: &impl StoreUnderTest,
) -> Option<(&dyn SessionStore, SessionKey, Successor)> {
    let (store, key) = (subject.store(), fresh_key());
    if !store.supports_changes_in_rotation() {
        return None;
    }
    create(store, &key, &["a", "b", "c", "of no schema"].map(|field| set(field, "1"))).await;
    Some((store, key, Successor::fresh()))
}

async fn assert_holds(store: &dyn SessionStore, key: &SessionKey, expected: &[(&str, &str)]) {
    for (field, value) in expected {
        let value = Bytes::copy_from_slice(value.as_bytes());
        assert_eq!(get(store, key, field).await, Some(value), "{field}");
    }
}

async fn assert_lacks(store: &dyn SessionStore, key: &SessionKey, fields: &[&str]) {
    for field in fields {
        assert_eq!(get(store, key, field).await, None, "{field}");
    }
}
