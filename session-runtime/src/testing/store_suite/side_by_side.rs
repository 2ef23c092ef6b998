//! Concurrent writes.

use super::support::*;

/// The writes are concurrent, on a live session.
pub async fn writes_to_different_fields_all_survive(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    let names: Vec<_> = (0..50).map(|at| format!("field {at}")).collect();
    let writes = names.iter().map(|name| {
        let key = &key;
        async move { write(store, key, &[set(name, name)]).await }
    });
    assert!(all(writes).await.into_iter().all(|written| written == Lookup::Found(0)));
    for name in &names {
        assert_eq!(get(store, &key, name).await, Some(name.clone().into()));
    }
}

/// The first writes of a request, under the new id.
pub async fn concurrent_creations_under_one_key_are_one_session(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let names: Vec<_> = (0..20).map(|at| format!("field {at}")).collect();
    let creations = names.iter().map(|name| {
        let key = &key;
        async move { create(store, key, &[set(name, "1")]).await }
    });
    all(creations).await;
    for name in &names {
        assert_eq!(get(store, &key, name).await, Some("1".into()));
    }
}

/// The removals of a field are concurrent. Only the first finds the field.
pub async fn a_field_is_removed_once(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    let removals = (0..50).map(|_| {
        let key = &key;
        async move { write(store, key, &[remove("a"), set("removed", "1")]).await }
    });
    let found = all(removals).await;
    assert_eq!(found.iter().filter(|found| **found == Lookup::Found(1)).count(), 1);
    assert_eq!(found.iter().filter(|found| **found == Lookup::Found(0)).count(), 49);
}

/// A concurrent operation never sees a part of a write. The check uses the count of a removing
/// write, which covers both fields at the same moment.
pub async fn a_write_is_seen_whole(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    let (key, pair) = (&key, [set("left", "1"), set("right", "1")]);
    let sets = (0..50).map(|_| write(store, key, &pair));
    let removals = [remove("left"), remove("right")];
    let removals = (0..50).map(|_| write(store, key, &removals));
    let (_, removed) = both(all(sets), all(removals)).await;
    assert!(removed.iter().all(|removed| matches!(removed, Lookup::Found(0 | 2))), "{removed:?}");
}
