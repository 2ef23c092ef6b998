//! Expiries, and the store's time.

use super::support::*;

/// Each write sets the expiry again, longer or shorter.
pub async fn a_write_sets_the_expiry(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_expires_in(store, &key, HOUR).await;
    for (expires_in, changes) in
        [(HOUR / 2, &[set("a", "2")][..]), (HOUR * 2, &[remove("a")]), (HOUR / 3, &[])]
    {
        let write = Write { mode: WriteMode::Existing, changes, expires_in, index: None };
        store.write(&key, write).await.unwrap();
        assert_expires_in(store, &key, expires_in).await;
    }
}

/// Covers both reads, longer and shorter expiries, existing and missing fields.
pub async fn a_refresh_sets_the_expiry(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    for (expires_in, field) in [(HOUR / 2, "a"), (HOUR * 2, "a"), (HOUR / 3, "missing")] {
        store.get(&key, field, Refresh::To(expires_in)).await.unwrap();
        assert_expires_in(store, &key, expires_in).await;
        store.contains(&key, field, Refresh::To(expires_in * 3)).await.unwrap();
        assert_expires_in(store, &key, expires_in * 3).await;
    }
}

/// The later reads of a request do not refresh.
pub async fn a_read_without_refresh_leaves_the_expiry(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    subject.advance(Duration::from_millis(20)).await;
    get(store, &key, "a").await;
    store.contains(&key, "a", Refresh::No).await.unwrap();
    assert!(expires_in(store, &key).await <= HOUR - Duration::from_millis(20));
}

/// A refresh creates nothing.
pub async fn reads_of_a_missing_key_leave_nothing(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    store.get(&key, "a", Refresh::To(HOUR)).await.unwrap();
    store.contains(&key, "a", Refresh::To(HOUR)).await.unwrap();
    assert_is_missing(store, &key).await;
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Missing);
}

/// The key looks as if there had never been a session.
pub async fn an_expired_session_is_missing(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], MOMENT).await;
    subject.advance(LATER).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    assert_eq!(store.contains(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Missing);
    assert_is_missing(store, &key).await;
}

/// The new session has none of the old fields.
pub async fn an_expired_session_is_created_anew_without_its_fields(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("old", "1")], MOMENT).await;
    subject.advance(LATER).await;
    create(store, &key, &[set("new", "1")]).await;
    assert_eq!(get(store, &key, "old").await, None);
    assert_eq!(get(store, &key, "new").await, Some("1".into()));
}

/// A time below a store's precision means neither "never" nor an error.
pub async fn the_shortest_expiry_does_no_harm(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(
        create_for(store, &key, &[set("a", "1")], Duration::from_nanos(1)).await,
        Lookup::Found(0)
    );
    subject.advance(Duration::from_millis(20)).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    create(store, &key, &[set("a", "1")]).await;
    store.get(&key, "a", Refresh::To(Duration::from_nanos(1))).await.unwrap();
    subject.advance(Duration::from_millis(20)).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
}

/// A time above a clock's range neither overflows nor fails.
pub async fn the_longest_expiry_does_no_harm(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(create_for(store, &key, &[set("a", "1")], Duration::MAX).await, Lookup::Found(0));
    assert_eq!(
        store.get(&key, "a", Refresh::To(Duration::MAX)).await.unwrap(),
        Lookup::Found(Some("1".into()))
    );
    assert!(expires_in(store, &key).await > HOUR * 24 * 365 * 1000);
}

/// The time decreases, and grows after a write.
pub async fn expires_in_of_a_session(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], HOUR * 2).await;
    let left = expires_in(store, &key).await;
    assert!(left <= HOUR * 2 && left + MINUTE > HOUR * 2, "{left:?}");
    subject.advance(Duration::from_millis(30)).await;
    assert!(expires_in(store, &key).await <= left - Duration::from_millis(25));
    write(store, &key, &[set("a", "2")]).await;
    let left = expires_in(store, &key).await;
    assert!(left <= HOUR && left + MINUTE > HOUR, "{left:?}");
}

/// The operation only reads.
pub async fn expires_in_refreshes_nothing(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], Duration::from_millis(80)).await;
    subject.advance(MOMENT).await;
    store.expires_in(&key).await.unwrap();
    subject.advance(Duration::from_millis(50)).await;
    assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Missing);
}

/// A tombstone has an expiry, but this is no expiry of a session.
pub async fn expires_in_of_a_missing_or_dead_session(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Missing);
    bury(store, &key, HOUR).await;
    assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Dead);
}

/// Covers both reads, with the field and without. The read does not wait for the refresh.
pub async fn a_near_expiry_is_refreshed_below_a_threshold(subject: &impl StoreUnderTest) {
    let (store, refresh) = (subject.store(), Refresh::Below { below: HOUR, expires_in: HOUR * 2 });
    for field in ["a", "missing"] {
        let (got, probed) = (fresh_key(), fresh_key());
        for key in [&got, &probed] {
            create_for(store, key, &[set("a", "1")], HOUR - MINUTE).await;
        }
        let expected = (field == "a").then(|| "1".into());
        assert_eq!(store.get(&got, field, refresh).await.unwrap(), Lookup::Found(expected.clone()));
        assert_eq!(
            store.contains(&probed, field, refresh).await.unwrap(),
            Lookup::Found(expected.is_some())
        );
        for key in [&got, &probed] {
            until("the expiry is refreshed", async || expires_in(store, key).await > HOUR).await;
            assert_expires_in(store, key, HOUR * 2).await;
        }
    }
}

/// The expiry becomes neither longer nor shorter.
pub async fn a_far_expiry_is_not_refreshed_below_a_threshold(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], HOUR + MINUTE).await;
    for expires_in in [HOUR * 2, MINUTE] {
        let refresh = Refresh::Below { below: HOUR, expires_in };
        assert_eq!(store.get(&key, "a", refresh).await.unwrap(), Lookup::Found(Some("1".into())));
        assert_eq!(store.contains(&key, "a", refresh).await.unwrap(), Lookup::Found(true));
        // Background work may come late.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_expires_in(store, &key, HOUR + MINUTE).await;
    }
}

/// The outcome is the same as for other reads that refresh.
pub async fn reads_below_a_threshold_know_missing_and_dead(subject: &impl StoreUnderTest) {
    let (store, missing, dead) = (subject.store(), fresh_key(), fresh_key());
    bury(store, &dead, MINUTE).await;
    let refresh = Refresh::Below { below: HOUR, expires_in: HOUR * 2 };
    assert_eq!(store.get(&missing, "a", refresh).await.unwrap(), Lookup::Missing);
    assert_eq!(store.contains(&missing, "a", refresh).await.unwrap(), Lookup::Missing);
    assert_eq!(store.get(&dead, "a", refresh).await.unwrap(), Lookup::Dead);
    assert_eq!(store.contains(&dead, "a", refresh).await.unwrap(), Lookup::Dead);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_is_missing(store, &missing).await;
}

/// The store's clock runs as fast as other clocks.
pub async fn the_time_of_the_store_advances(subject: &impl StoreUnderTest) {
    let before = subject.store().time().await.unwrap();
    subject.advance(Duration::from_millis(30)).await;
    let passed = subject.store().time().await.unwrap().duration_since(before).unwrap();
    assert!(passed >= Duration::from_millis(25) && passed < MINUTE, "{passed:?}");
}
