//! Tombstones. A key stays dead for the time that the end of the session asked for, whatever
//! happens later.

use super::support::*;

/// The tombstone stays neither longer nor shorter, regardless of the session's expiry.
pub async fn a_destruction_keeps_its_tombstone_for_the_given_time(subject: &impl StoreUnderTest) {
    let (store, short, long) = (subject.store(), fresh_key(), fresh_key());
    create_for(store, &short, &[set("a", "1")], HOUR).await;
    create_for(store, &long, &[set("a", "1")], MOMENT * 25).await;
    store.destroy(&short, logout(MOMENT)).await.unwrap();
    store.destroy(&long, logout(HOUR)).await.unwrap();
    subject.advance(MOMENT * 26).await;
    assert_is_missing(store, &short).await;
    assert_is_dead(store, &long).await;
}

/// The tombstone stays as after a destruction. The session has the expiry that the rotation asked
/// for.
pub async fn a_rotation_sets_both_expiries(subject: &impl StoreUnderTest) {
    let (store, short, long) = (subject.store(), fresh_key(), fresh_key());
    create_for(store, &short, &[set("a", "1")], HOUR * 24).await;
    create_for(store, &long, &[set("a", "1")], MOMENT * 25).await;
    for (key, tombstone_for) in [(&short, MOMENT), (&long, HOUR)] {
        let successor = Successor::fresh();
        let rotation = Rotation { expires_in: HOUR * 2, tombstone_for, ..successor.rotation() };
        store.rotate(key, rotation).await.unwrap();
        assert_expires_in(store, &successor.key, HOUR * 2).await;
    }
    subject.advance(MOMENT * 26).await;
    assert_is_missing(store, &short).await;
    assert_is_dead(store, &long).await;
}

/// A dead id that is used for days must not stay dead for days. A store may correct the expiry in
/// the background, so the end may come a moment late.
pub async fn nothing_prolongs_a_tombstone(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for at in 0..TOUCHES {
        for key in [ended(store, MOMENT).await, rotated(store, MOMENT).await] {
            // On a slow machine, the tombstone may be over already. Then there is nothing to
            // prolong.
            if touch(store, &key, at, HOUR).await {
                subject.advance(LATER).await;
                until("the tombstone has expired", async || {
                    store.expires_in(&key).await.unwrap() == Lookup::Missing
                })
                .await;
            }
        }
    }
}

/// The tombstone does not end early either. The operations ask for a second, because a store may
/// correct a read in the background. A busy machine needs a moment for that.
pub async fn nothing_shortens_a_tombstone(subject: &impl StoreUnderTest) {
    let store = subject.store();
    let mut keys = Vec::new();
    for at in 0..TOUCHES {
        for key in [ended(store, HOUR).await, rotated(store, HOUR).await] {
            assert!(touch(store, &key, at, MOMENT * 25).await, "the session is dead");
            keys.push(key);
        }
    }
    subject.advance(MOMENT * 26).await;
    for key in keys {
        assert_eq!(store.expires_in(&key).await.unwrap(), Lookup::Dead);
    }
}

/// The tombstone has the reason of the destruction, or the rotation's successor. Later operations
/// on the dead key do not change this.
pub async fn a_tombstone_records_how_its_session_ended(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for reason in [DestroyReason::LoggedOut, DestroyReason::EndedElsewhere, DestroyReason::TooMany]
    {
        let key = fresh_key();
        create(store, &key, &[set("a", "1")]).await;
        store.destroy(&key, Destruction { reason, tombstone_for: MINUTE }).await.unwrap();
        let kind = TombstoneKind::Destroyed(reason);
        assert_eq!(kind_of(store, &key).await, Some(kind));
        assert_eq!(store.destroy(&key, logout(HOUR)).await.unwrap(), Destroyed::Dead(kind));
        assert_eq!(kind_of(store, &key).await, Some(kind));
    }
    for renews in [false, true] {
        let (key, successor) = (fresh_key(), Successor::fresh());
        create(store, &key, &[set("a", "1")]).await;
        let rotation = Rotation { renews, ..successor.rotation() };
        store.rotate(&key, rotation).await.unwrap();
        let kind = rotation.tombstone_kind();
        let id = successor.id;
        assert_eq!(
            kind,
            if renews { TombstoneKind::Renewed(id) } else { TombstoneKind::Rotated(id) }
        );
        assert_eq!(kind_of(store, &key).await, Some(kind));
        assert_eq!(store.destroy(&key, logout(HOUR)).await.unwrap(), Destroyed::Dead(kind));
        assert_eq!(store.rotate(&key, rotation).await.unwrap(), Lookup::Found(()));
        assert_eq!(kind_of(store, &key).await, Some(kind));
    }
}

/// An expired key has no tombstone either.
pub async fn a_live_or_missing_session_has_no_tombstone(subject: &impl StoreUnderTest) {
    let (store, live, missing) = (subject.store(), fresh_key(), fresh_key());
    create(store, &live, &[set("a", "1")]).await;
    assert_eq!(kind_of(store, &live).await, None);
    assert_eq!(get(store, &live, "a").await, Some("1".into()));
    assert_eq!(kind_of(store, &missing).await, None);
    assert_is_missing(store, &missing).await;
    let over = ended(store, MOMENT).await;
    subject.advance(LATER).await;
    assert_eq!(kind_of(store, &over).await, None);
}

/// The age follows the store's clock. Repeated operations do not make a tombstone younger.
pub async fn the_age_of_a_tombstone_counts_from_the_end_of_the_session(
    subject: &impl StoreUnderTest,
) {
    let store = subject.store();
    let keys = [ended(store, HOUR).await, rotated(store, HOUR).await];
    subject.advance(LATER).await;
    for key in &keys {
        for at in 0..TOUCHES {
            assert!(touch(store, key, at, HOUR * 2).await, "the session is dead");
        }
    }
    for key in &keys {
        let age = store.tombstone(key).await.unwrap().expect("a tombstone").age;
        assert!(age >= LATER && age < HOUR, "{age:?}");
    }
}

async fn kind_of(store: &dyn SessionStore, key: &SessionKey) -> Option<TombstoneKind> {
    store.tombstone(key).await.unwrap().map(|tombstone| tombstone.kind)
}

async fn ended(store: &dyn SessionStore, tombstone_for: Duration) -> SessionKey {
    let key = fresh_key();
    bury(store, &key, tombstone_for).await;
    key
}

async fn rotated(store: &dyn SessionStore, tombstone_for: Duration) -> SessionKey {
    let (key, successor) = (fresh_key(), Successor::fresh());
    create(store, &key, &[]).await;
    store.rotate(&key, Rotation { tombstone_for, ..successor.rotation() }).await.unwrap();
    key
}

const TOUCHES: usize = 16;

/// Runs the operation with this number, which asks for this expiry. Returns whether the key was
/// dead.
async fn touch(
    store: &dyn SessionStore,
    key: &SessionKey,
    at: usize,
    expires_in: Duration,
) -> bool {
    let elsewhere = Successor::fresh();
    let refreshes =
        [Refresh::No, Refresh::To(expires_in), Refresh::Below { below: HOUR * 2, expires_in }];
    let modes = [WriteMode::Existing, WriteMode::Create];
    match at {
        0..3 => store.get(key, "a", refreshes[at]).await.unwrap() == Lookup::Dead,
        3..6 => store.contains(key, "a", refreshes[at - 3]).await.unwrap() == Lookup::Dead,
        6..8 => {
            let read = store.get_many(key, &["a", "b"], refreshes[at - 5]).await.unwrap();
            read == Lookup::Dead
        }
        8..10 => {
            let write =
                Write { mode: modes[at - 8], changes: &[set("a", "1")], expires_in, index: None };
            store.write(key, write).await.unwrap() == Lookup::Dead
        }
        10..12 => {
            let modify = Modify { mode: modes[at - 10], expires_in, ..modify(replace(Some("1"))) };
            store.modify(key, modify).await.unwrap() == Lookup::Dead
        }
        12 => {
            let rotation =
                Rotation { expires_in, tombstone_for: expires_in, ..elsewhere.rotation() };
            store.rotate(key, rotation).await.unwrap() == Lookup::Dead
        }
        13..15 => {
            let read = all_under(store, key, "a", refreshes[at - 12]).await;
            matches!(read, Some(Lookup::Dead) | None)
        }
        _ => {
            let destroyed = store.destroy(key, logout(expires_in)).await.unwrap();
            matches!(destroyed, Destroyed::Dead(_))
        }
    }
}
