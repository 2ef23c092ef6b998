//! Writes, and reads of a single field.

use super::support::*;

/// The key was never written.
pub async fn a_missing_key_is_missing(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    assert_eq!(store.contains(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    // Without a refresh, a store may be unable to tell.
    assert!(matches!(
        store.get(&key, "a", Refresh::No).await.unwrap(),
        Lookup::Missing | Lookup::Found(None)
    ));
    assert!(matches!(
        store.contains(&key, "a", Refresh::No).await.unwrap(),
        Lookup::Missing | Lookup::Found(false)
    ));
}

/// Covers the first write and both reads.
pub async fn a_session_begins_with_its_fields(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(create(store, &key, &[set("a", "1"), set("b", "")]).await, Lookup::Found(0));
    for refresh in [Refresh::No, Refresh::To(HOUR)] {
        assert_eq!(store.get(&key, "a", refresh).await.unwrap(), Lookup::Found(Some("1".into())));
        assert_eq!(store.get(&key, "b", refresh).await.unwrap(), Lookup::Found(Some(Bytes::new())));
        assert_eq!(store.contains(&key, "b", refresh).await.unwrap(), Lookup::Found(true));
    }
}

/// A creation without fields creates a session too.
pub async fn a_session_may_begin_without_fields(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(create(store, &key, &[]).await, Lookup::Found(0));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
    let key = fresh_key();
    assert_eq!(create(store, &key, &[remove("a")]).await, Lookup::Found(0));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
}

/// Covers `WriteMode::Existing` on a missing key and on a live key.
pub async fn existing_mode_creates_no_session(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Missing);
    assert_is_missing(store, &key).await;
    create(store, &key, &[]).await;
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Found(0));
    assert_eq!(get(store, &key, "a").await, Some("1".into()));
}

/// Covers `WriteMode::Create` on a live key.
pub async fn create_mode_writes_a_live_session(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "1")]).await;
    assert_eq!(create(store, &key, &[set("a", "2"), remove("b")]).await, Lookup::Found(1));
    assert_eq!(get(store, &key, "a").await, Some("2".into()));
    assert_eq!(get(store, &key, "b").await, None);
}

/// The session is live, without the requested field.
pub async fn a_missing_field_is_none(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    for refresh in [Refresh::No, Refresh::To(HOUR)] {
        assert_eq!(store.get(&key, "b", refresh).await.unwrap(), Lookup::Found(None));
        assert_eq!(store.contains(&key, "b", refresh).await.unwrap(), Lookup::Found(false));
    }
}

/// Only removed fields that existed count.
pub async fn removals_are_counted(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "1"), set("c", "1")]).await;
    assert_eq!(
        write(store, &key, &[remove("a"), remove("x"), remove("b")]).await,
        Lookup::Found(2)
    );
    assert_eq!(write(store, &key, &[remove("a")]).await, Lookup::Found(0));
    assert_eq!(get(store, &key, "c").await, Some("1".into()));
}

/// This is the purpose of the permanent field.
pub async fn removing_the_last_field_keeps_the_session(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(write(store, &key, &[remove("a")]).await, Lookup::Found(1));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
    assert_eq!(write(store, &key, &[set("b", "2")]).await, Lookup::Found(0));
    assert_eq!(get(store, &key, "b").await, Some("2".into()));
}

/// A single write sets and removes fields, in any order.
pub async fn sets_and_removals_go_together(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "1")]).await;
    let changes = [set("c", "2"), remove("a"), set("b", "2"), remove("x")];
    assert_eq!(write(store, &key, &changes).await, Lookup::Found(1));
    assert_eq!(get(store, &key, "a").await, None);
    assert_eq!(get(store, &key, "b").await, Some("2".into()));
    assert_eq!(get(store, &key, "c").await, Some("2".into()));
}

/// The permanent field exists from the first write on, with an empty value.
pub async fn the_permanent_field_is_there(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(get(store, &key, PERMANENT_FIELD).await, Some(Bytes::new()));
    write(store, &key, &[remove("a")]).await;
    assert_eq!(get(store, &key, PERMANENT_FIELD).await, Some(Bytes::new()));
}

/// Every byte of the other fields stays.
pub async fn a_write_leaves_other_fields_alone(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "\u{0}ä\r\n")]).await;
    write(store, &key, &[set("a", "2")]).await;
    write(store, &key, &[remove("a")]).await;
    assert_eq!(get(store, &key, "b").await, Some("\u{0}ä\r\n".into()));
}

/// Reads report a tombstone, and writes do not change the tombstone.
pub async fn a_dead_key_is_dead_to_everything(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    bury(store, &key, HOUR).await;
    for refresh in [Refresh::No, Refresh::To(HOUR)] {
        assert_eq!(store.get(&key, "a", refresh).await.unwrap(), Lookup::Dead);
        assert_eq!(store.contains(&key, "a", refresh).await.unwrap(), Lookup::Dead);
    }
    for changes in [&[set("a", "1")][..], &[remove("a")], &[]] {
        assert_eq!(write(store, &key, changes).await, Lookup::Dead);
        assert_eq!(create(store, &key, changes).await, Lookup::Dead);
    }
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Dead);
    assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Dead);
}

/// Covers all byte values, including NUL and invalid UTF-8.
pub async fn any_bytes_come_back(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let value: Bytes = (0..=u8::MAX).collect();
    create(store, &key, &[Change::Set { field: "a", value: value.clone(), ttl: None }]).await;
    assert_eq!(get(store, &key, "a").await, Some(value));
}

/// The largest value that a session accepts by default.
pub async fn a_megabyte_comes_back(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let value: Bytes = (0..1 << 20).map(|at: u32| (at % 251) as u8).collect();
    create(
        store,
        &key,
        &[set("b", "1"), Change::Set { field: "a", value: value.clone(), ttl: None }],
    )
    .await;
    assert_eq!(get(store, &key, "a").await, Some(value));
    assert_eq!(get(store, &key, "b").await, Some("1".into()));
}

/// Covers any name that a schema may use.
pub async fn unusual_names_are_names(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    for name in ["ä€𝄞", "with space", "\u{0}", "*?[]", "-1", "HSET", "\r\n"] {
        create(store, &key, &[set(name, name)]).await;
        assert_eq!(get(store, &key, name).await, Some(name.as_bytes().to_vec().into()));
        assert_eq!(write(store, &key, &[remove(name)]).await, Lookup::Found(1));
    }
}

/// The write has more changes than a script can pass to a single command.
pub async fn thousands_of_changes_are_one_write(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let names: Vec<_> = (0..10_000).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names[..5000].iter().map(|name| set(name, name)).collect();
    assert_eq!(create(store, &key, &sets).await, Lookup::Found(0));
    let removed = names[..5000].iter().map(|name| remove(name));
    let changes: Vec<_> = removed.chain(names[5000..].iter().map(|name| set(name, name))).collect();
    assert_eq!(write(store, &key, &changes).await, Lookup::Found(5000));
    for at in [0, 999, 1000, 4999] {
        assert_eq!(get(store, &key, &names[at]).await, None);
        assert_eq!(
            get(store, &key, &names[at + 5000]).await,
            Some(names[at + 5000].clone().into())
        );
    }
    let removals: Vec<_> = names.iter().map(|name| remove(name)).collect();
    assert_eq!(write(store, &key, &removals).await, Lookup::Found(5000));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
}

/// Operations under a key do not affect other keys.
pub async fn keys_are_independent(subject: &impl StoreUnderTest) {
    let (store, live, dead, missing) = (subject.store(), fresh_key(), fresh_key(), fresh_key());
    create(store, &live, &[set("a", "1")]).await;
    bury(store, &dead, HOUR).await;
    assert_eq!(
        store.get(&live, "a", Refresh::To(HOUR)).await.unwrap(),
        Lookup::Found(Some("1".into()))
    );
    assert_eq!(store.get(&dead, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Dead);
    assert_eq!(store.get(&missing, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
}
