//! How long sessions are kept, and what time it is.

use std::time::{Duration, Instant};

use session_runtime::{Lookup, Refresh, SessionKey};

use super::{HOUR, MINUTE, Subject, assert_expires_in, create_for, set, write};
use crate::keys::fresh_key;

/// Less and less, more after a write.
pub async fn time_left_is_told(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], HOUR * 2).await;
    let left = time_left(subject, &key).await;
    assert!(left <= HOUR * 2 && left + MINUTE > HOUR * 2, "{left:?}");
    subject.pass(Duration::from_millis(30)).await;
    assert!(time_left(subject, &key).await <= left - Duration::from_millis(25));
    write(store, &key, &[set("a", "2")]).await;
    let left = time_left(subject, &key).await;
    assert!(left <= HOUR && left + MINUTE > HOUR, "{left:?}");
}

/// It only asks.
pub async fn asking_for_the_time_left_refreshes_nothing(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], Duration::from_millis(80)).await;
    subject.pass(Duration::from_millis(40)).await;
    store.time_left(&key).await.unwrap();
    subject.pass(Duration::from_millis(50)).await;
    assert_eq!(store.time_left(&key).await.unwrap(), Lookup::Missing);
}

/// A tombstone has a time, but it is not a session's.
pub async fn time_left_of_what_is_missing_or_dead(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(store.time_left(&key).await.unwrap(), Lookup::Missing);
    subject.bury(&key, HOUR);
    assert_eq!(store.time_left(&key).await.unwrap(), Lookup::Dead);
}

/// By both reads, whether the field is there or not. The read does not wait for it.
pub async fn little_time_left_is_refreshed_below_a_threshold(subject: &impl Subject) {
    let (store, refresh) = (subject.store(), Refresh::Below { below: HOUR, expires_in: HOUR * 2 });
    for field in ["a", "missing"] {
        let (got, asked) = (fresh_key(), fresh_key());
        for key in [&got, &asked] {
            create_for(store, key, &[set("a", "1")], HOUR - MINUTE).await;
        }
        let expected = (field == "a").then(|| "1".into());
        assert_eq!(store.get(&got, field, refresh).await.unwrap(), Lookup::Found(expected.clone()));
        assert_eq!(store.contains(&asked, field, refresh).await.unwrap(), Lookup::Found(expected.is_some()));
        for key in [&got, &asked] {
            until_refreshed(subject, key).await;
            assert_expires_in(subject, key, HOUR * 2);
        }
    }
}

/// Neither to more nor to less.
pub async fn ample_time_left_is_not_refreshed_below_a_threshold(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], HOUR + MINUTE).await;
    for expires_in in [HOUR * 2, MINUTE] {
        let refresh = Refresh::Below { below: HOUR, expires_in };
        assert_eq!(store.get(&key, "a", refresh).await.unwrap(), Lookup::Found(Some("1".into())));
        assert_eq!(store.contains(&key, "a", refresh).await.unwrap(), Lookup::Found(true));
        // What nobody awaits may come late.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_expires_in(subject, &key, HOUR + MINUTE);
    }
}

/// As other reads that refresh do; and neither is changed.
pub async fn reads_below_a_threshold_know_missing_and_dead(subject: &impl Subject) {
    let (store, missing, dead) = (subject.store(), fresh_key(), fresh_key());
    subject.bury(&dead, MINUTE);
    let refresh = Refresh::Below { below: HOUR, expires_in: HOUR * 2 };
    assert_eq!(store.get(&missing, "a", refresh).await.unwrap(), Lookup::Missing);
    assert_eq!(store.contains(&missing, "a", refresh).await.unwrap(), Lookup::Missing);
    assert_eq!(store.get(&dead, "a", refresh).await.unwrap(), Lookup::Dead);
    assert_eq!(store.contains(&dead, "a", refresh).await.unwrap(), Lookup::Dead);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(subject.expires_in(&missing), None);
    assert_expires_in(subject, &dead, MINUTE);
}

/// As fast as everybody's.
pub async fn the_time_of_the_store_goes_on(subject: &impl Subject) {
    let before = subject.store().time().await.unwrap();
    subject.pass(Duration::from_millis(30)).await;
    let passed = subject.store().time().await.unwrap().duration_since(before).unwrap();
    assert!(passed >= Duration::from_millis(25) && passed < MINUTE, "{passed:?}");
}

async fn time_left(subject: &impl Subject, key: &SessionKey) -> Duration {
    match subject.store().time_left(key).await.unwrap() {
        Lookup::Found(left) => left,
        other => panic!("the session is live, not {other:?}"),
    }
}

async fn until_refreshed(subject: &impl Subject, key: &SessionKey) {
    let limit = Instant::now() + Duration::from_secs(20);
    while subject.expires_in(key).is_some_and(|left| left <= HOUR) {
        assert!(Instant::now() < limit, "waited in vain for the refresh");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
