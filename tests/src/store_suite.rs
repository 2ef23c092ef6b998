//! What every store has to do: the contract of `SessionStore`, check by check.
//!
//! A store plugs in by a [`Subject`], and `store_suite!` makes a test of every check. See `tests/tests/stores.rs`.

mod concurrency;
mod destruction;
mod field_expiry;
mod modification;
mod reading;
mod rotation;
mod time;

pub use destruction::*;
pub use field_expiry::*;
pub use modification::*;
pub use reading::*;
pub use rotation::*;
pub use time::*;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use session_runtime::{
    Change, Destroyed, Lookup, PERMANENT_FIELD, Refresh, SessionKey, SessionStore, StoreError, Write,
    WriteMode,
};

use crate::keys::fresh_key;

/// A store under test, and what its checks need beside it.
pub trait Subject {
    /// The store.
    fn store(&self) -> &dyn SessionStore;

    /// Puts a tombstone under a key.
    fn bury(&self, key: &SessionKey, expires_in: Duration);

    /// How long a key is still kept; nothing if it is missing, or (an error in any store) kept for ever.
    fn expires_in(&self, key: &SessionKey) -> Option<Duration>;

    /// Lets time pass for the store.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;
}

/// Makes a test of every check of this suite. The expression gives a new [`Subject`] each time.
#[macro_export]
macro_rules! store_suite {
    ($subject:expr) => {
        $crate::store_suite!($subject;
            a_missing_key_is_missing
            a_session_begins_with_its_fields
            a_session_may_begin_without_fields
            existing_mode_begins_nothing
            create_mode_writes_a_live_session
            a_field_that_is_not_there_is_nothing
            removals_are_counted
            removing_the_last_field_keeps_the_session
            sets_and_removals_go_together
            the_permanent_field_is_there
            a_write_leaves_other_fields_alone
            a_dead_key_is_dead_to_everything
            a_dead_key_is_missing_once_expired
            a_write_sets_the_expiry
            a_refresh_sets_the_expiry
            a_read_without_refresh_leaves_the_expiry
            reads_of_a_missing_key_leave_nothing
            an_expired_session_is_missing
            an_expired_session_begins_anew_without_its_fields
            the_shortest_expiry_does_no_harm
            the_longest_expiry_does_no_harm
            any_bytes_come_back
            a_megabyte_comes_back
            unusual_names_are_names
            writes_to_different_fields_all_survive
            sessions_begun_side_by_side_under_one_key_are_one
            thousands_of_changes_are_one_write
            a_field_is_removed_once
            a_write_is_seen_whole
            keys_are_apart

            fields_are_read_in_the_order_that_they_are_asked_for
            fields_of_missing_and_dead_keys_are_not_read
            reading_several_fields_refreshes_as_reading_one
            several_fields_are_read_at_one_moment
            thousands_of_fields_are_one_read

            a_replacement_tells_what_was_there
            a_value_is_set_once
            values_are_exchanged_for_what_is_expected
            a_modification_of_what_has_to_be_there_begins_nothing
            a_modification_may_begin_a_session
            a_modification_of_a_dead_key_is_dead
            a_modification_sets_the_expiry
            a_modification_leaves_other_fields_alone
            modifying_the_last_field_away_keeps_the_session
            what_an_alias_holds_is_held_until_the_field_is_changed
            an_alias_that_holds_nothing_changes_nothing
            unusual_names_can_be_modified
            any_bytes_can_be_exchanged
            integers_are_added_within_their_limits
            what_is_no_integer_is_not_added_to
            a_field_that_holds_nothing_counts_as_its_default
            floats_are_added_as_ieee_754_does
            what_is_no_float_is_not_added_to
            additions_at_once_are_exact
            of_exchanges_at_once_one_wins
            a_value_is_taken_once
            a_value_that_is_set_once_is_one_for_all

            a_rotation_moves_everything
            a_rotation_sets_both_expiries
            a_rotated_key_is_dead_to_everything
            a_rotated_key_is_missing_once_expired
            a_rotated_session_can_be_rotated_again
            a_repeated_rotation_succeeds_and_changes_nothing
            a_repeated_rotation_of_what_has_ended_since_is_dead
            a_rotation_to_another_successor_is_dead
            a_missing_session_is_not_rotated
            a_destroyed_session_is_not_rotated
            a_rotation_overwrites_nothing
            a_rotation_onto_itself_is_refused
            a_large_session_is_rotated_whole
            of_rotations_at_once_one_wins
            a_rotation_beside_writers_loses_nothing

            a_destroyed_session_is_dead_to_everything
            a_destruction_keeps_its_tombstone_as_long_as_it_says
            a_destroyed_session_is_missing_once_expired
            a_session_is_destroyed_once
            a_missing_session_is_not_destroyed
            destroying_a_moved_session_names_where_it_is
            a_read_prolongs_no_tombstone
            a_large_session_is_destroyed
            of_destructions_at_once_one_ends_the_session
            a_destruction_beside_a_rotation_knows_the_successor
            no_session_comes_back_from_a_destruction_beside_writers

            time_left_is_told
            asking_for_the_time_left_refreshes_nothing
            time_left_of_what_is_missing_or_dead
            little_time_left_is_refreshed_below_a_threshold
            ample_time_left_is_not_refreshed_below_a_threshold
            reads_below_a_threshold_know_missing_and_dead
            the_time_of_the_store_goes_on
        );
    };
    ($subject:expr; $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                $crate::store_suite::$check(&$subject.await).await;
            }
        )*
    };
}

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// A key that was never written.
pub async fn a_missing_key_is_missing(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    assert_eq!(store.contains(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    // Without a refresh a store may not be able to tell.
    assert!(matches!(
        store.get(&key, "a", Refresh::No).await.unwrap(),
        Lookup::Missing | Lookup::Found(None)
    ));
    assert!(matches!(
        store.contains(&key, "a", Refresh::No).await.unwrap(),
        Lookup::Missing | Lookup::Found(false)
    ));
}

/// The first write, and both reads.
pub async fn a_session_begins_with_its_fields(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(create(store, &key, &[set("a", "1"), set("b", "")]).await, Lookup::Found(0));
    for refresh in [Refresh::No, Refresh::To(HOUR)] {
        assert_eq!(store.get(&key, "a", refresh).await.unwrap(), Lookup::Found(Some("1".into())));
        assert_eq!(store.get(&key, "b", refresh).await.unwrap(), Lookup::Found(Some(Bytes::new())));
        assert_eq!(store.contains(&key, "b", refresh).await.unwrap(), Lookup::Found(true));
    }
}

/// A creation of nothing is a session all the same.
pub async fn a_session_may_begin_without_fields(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(create(store, &key, &[]).await, Lookup::Found(0));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
    let key = fresh_key();
    assert_eq!(create(store, &key, &[remove("a")]).await, Lookup::Found(0));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
}

/// `WriteMode::Existing` on a missing key, and then on a live one.
pub async fn existing_mode_begins_nothing(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Missing);
    assert_eq!(subject.expires_in(&key), None);
    create(store, &key, &[]).await;
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Found(0));
    assert_eq!(get(store, &key, "a").await, Some("1".into()));
}

/// `WriteMode::Create` on a live key.
pub async fn create_mode_writes_a_live_session(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "1")]).await;
    assert_eq!(create(store, &key, &[set("a", "2"), remove("b")]).await, Lookup::Found(1));
    assert_eq!(get(store, &key, "a").await, Some("2".into()));
    assert_eq!(get(store, &key, "b").await, None);
}

/// A live session without the field asked for.
pub async fn a_field_that_is_not_there_is_nothing(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    for refresh in [Refresh::No, Refresh::To(HOUR)] {
        assert_eq!(store.get(&key, "b", refresh).await.unwrap(), Lookup::Found(None));
        assert_eq!(store.contains(&key, "b", refresh).await.unwrap(), Lookup::Found(false));
    }
}

/// Only removed fields that were there count.
pub async fn removals_are_counted(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "1"), set("c", "1")]).await;
    assert_eq!(write(store, &key, &[remove("a"), remove("x"), remove("b")]).await, Lookup::Found(2));
    assert_eq!(write(store, &key, &[remove("a")]).await, Lookup::Found(0));
    assert_eq!(get(store, &key, "c").await, Some("1".into()));
}

/// The permanent field's reason to be.
pub async fn removing_the_last_field_keeps_the_session(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(write(store, &key, &[remove("a")]).await, Lookup::Found(1));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
    assert_eq!(write(store, &key, &[set("b", "2")]).await, Lookup::Found(0));
    assert_eq!(get(store, &key, "b").await, Some("2".into()));
}

/// One write that does both, in any order.
pub async fn sets_and_removals_go_together(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "1")]).await;
    let changes = [set("c", "2"), remove("a"), set("b", "2"), remove("x")];
    assert_eq!(write(store, &key, &changes).await, Lookup::Found(1));
    assert_eq!(get(store, &key, "a").await, None);
    assert_eq!(get(store, &key, "b").await, Some("2".into()));
    assert_eq!(get(store, &key, "c").await, Some("2".into()));
}

/// From the first write on, with an empty value.
pub async fn the_permanent_field_is_there(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_eq!(get(store, &key, PERMANENT_FIELD).await, Some(Bytes::new()));
    write(store, &key, &[remove("a")]).await;
    assert_eq!(get(store, &key, PERMANENT_FIELD).await, Some(Bytes::new()));
}

/// Byte for byte.
pub async fn a_write_leaves_other_fields_alone(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", "\u{0}ä\r\n")]).await;
    write(store, &key, &[set("a", "2")]).await;
    write(store, &key, &[remove("a")]).await;
    assert_eq!(get(store, &key, "b").await, Some("\u{0}ä\r\n".into()));
}

/// Reads report a tombstone, writes do not change it.
pub async fn a_dead_key_is_dead_to_everything(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    subject.bury(&key, HOUR);
    for refresh in [Refresh::No, Refresh::To(HOUR)] {
        assert_eq!(store.get(&key, "a", refresh).await.unwrap(), Lookup::Dead);
        assert_eq!(store.contains(&key, "a", refresh).await.unwrap(), Lookup::Dead);
    }
    for changes in [&[set("a", "1")][..], &[remove("a")], &[]] {
        assert_eq!(write(store, &key, changes).await, Lookup::Dead);
        assert_eq!(create(store, &key, changes).await, Lookup::Dead);
    }
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Dead);
    assert!(subject.expires_in(&key).is_some());
}

/// A tombstone too has its time.
pub async fn a_dead_key_is_missing_once_expired(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    subject.bury(&key, HOUR);
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Dead);
    subject.bury(&key, Duration::from_millis(40));
    subject.pass(Duration::from_millis(60)).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
}

/// Each write anew, longer or shorter.
pub async fn a_write_sets_the_expiry(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    assert_expires_in(subject, &key, HOUR);
    for (expires_in, changes) in
        [(HOUR / 2, &[set("a", "2")][..]), (HOUR * 2, &[remove("a")]), (HOUR / 3, &[])]
    {
        let write = Write { mode: WriteMode::Existing, changes, expires_in };
        store.write(&key, write).await.unwrap();
        assert_expires_in(subject, &key, expires_in);
    }
}

/// Both reads, longer or shorter, field or no field.
pub async fn a_refresh_sets_the_expiry(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    for (expires_in, field) in [(HOUR / 2, "a"), (HOUR * 2, "a"), (HOUR / 3, "missing")] {
        store.get(&key, field, Refresh::To(expires_in)).await.unwrap();
        assert_expires_in(subject, &key, expires_in);
        store.contains(&key, field, Refresh::To(expires_in * 3)).await.unwrap();
        assert_expires_in(subject, &key, expires_in * 3);
    }
}

/// A further read of a request.
pub async fn a_read_without_refresh_leaves_the_expiry(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1")]).await;
    subject.pass(Duration::from_millis(20)).await;
    get(store, &key, "a").await;
    store.contains(&key, "a", Refresh::No).await.unwrap();
    assert!(subject.expires_in(&key).unwrap() <= HOUR - Duration::from_millis(20));
}

/// A refresh creates nothing.
pub async fn reads_of_a_missing_key_leave_nothing(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    store.get(&key, "a", Refresh::To(HOUR)).await.unwrap();
    store.contains(&key, "a", Refresh::To(HOUR)).await.unwrap();
    assert_eq!(subject.expires_in(&key), None);
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Missing);
}

/// As if it had never been there.
pub async fn an_expired_session_is_missing(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], Duration::from_millis(40)).await;
    subject.pass(Duration::from_millis(60)).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    assert_eq!(store.contains(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    assert_eq!(write(store, &key, &[set("a", "1")]).await, Lookup::Missing);
    assert_eq!(subject.expires_in(&key), None);
}

/// Nothing of the old session shows in the new one.
pub async fn an_expired_session_begins_anew_without_its_fields(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("old", "1")], Duration::from_millis(40)).await;
    subject.pass(Duration::from_millis(60)).await;
    create(store, &key, &[set("new", "1")]).await;
    assert_eq!(get(store, &key, "old").await, None);
    assert_eq!(get(store, &key, "new").await, Some("1".into()));
}

/// Less than what a store can tell apart is not "never" and not an error.
pub async fn the_shortest_expiry_does_no_harm(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(create_for(store, &key, &[set("a", "1")], Duration::from_nanos(1)).await, Lookup::Found(0));
    subject.pass(Duration::from_millis(20)).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    create(store, &key, &[set("a", "1")]).await;
    store.get(&key, "a", Refresh::To(Duration::from_nanos(1))).await.unwrap();
    subject.pass(Duration::from_millis(20)).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
}

/// More than a clock can carry neither overflows nor fails.
pub async fn the_longest_expiry_does_no_harm(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    assert_eq!(create_for(store, &key, &[set("a", "1")], Duration::MAX).await, Lookup::Found(0));
    assert_eq!(
        store.get(&key, "a", Refresh::To(Duration::MAX)).await.unwrap(),
        Lookup::Found(Some("1".into()))
    );
    assert!(subject.expires_in(&key).unwrap() > HOUR * 24 * 365 * 1000);
}

/// All of them, NUL and invalid UTF-8 too.
pub async fn any_bytes_come_back(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    let value: Bytes = (0..=u8::MAX).collect();
    create(store, &key, &[Change::Set { field: "a", value: value.clone(), ttl: None }]).await;
    assert_eq!(get(store, &key, "a").await, Some(value));
}

/// The largest value that a session takes by default.
pub async fn a_megabyte_comes_back(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    let value: Bytes = (0..1 << 20).map(|at: u32| (at % 251) as u8).collect();
    create(store, &key, &[set("b", "1"), Change::Set { field: "a", value: value.clone(), ttl: None }]).await;
    assert_eq!(get(store, &key, "a").await, Some(value));
    assert_eq!(get(store, &key, "b").await, Some("1".into()));
}

/// Whatever a schema may call a field.
pub async fn unusual_names_are_names(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    for name in ["ä€𝄞", "with space", "\u{0}", "*?[]", "-1", "HSET", "\r\n"] {
        create(store, &key, &[set(name, name)]).await;
        assert_eq!(get(store, &key, name).await, Some(name.as_bytes().to_vec().into()));
        assert_eq!(write(store, &key, &[remove(name)]).await, Lookup::Found(1));
    }
}

/// At once, on one live session.
pub async fn writes_to_different_fields_all_survive(subject: &impl Subject) {
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

/// First writes of one request, under its one new id.
pub async fn sessions_begun_side_by_side_under_one_key_are_one(subject: &impl Subject) {
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

/// More than a script can hand to one command.
pub async fn thousands_of_changes_are_one_write(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    let names: Vec<_> = (0..10_000).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names[..5000].iter().map(|name| set(name, name)).collect();
    assert_eq!(create(store, &key, &sets).await, Lookup::Found(0));
    let removed = names[..5000].iter().map(|name| remove(name));
    let changes: Vec<_> = removed.chain(names[5000..].iter().map(|name| set(name, name))).collect();
    assert_eq!(write(store, &key, &changes).await, Lookup::Found(5000));
    for at in [0, 999, 1000, 4999] {
        assert_eq!(get(store, &key, &names[at]).await, None);
        assert_eq!(get(store, &key, &names[at + 5000]).await, Some(names[at + 5000].clone().into()));
    }
    let removals: Vec<_> = names.iter().map(|name| remove(name)).collect();
    assert_eq!(write(store, &key, &removals).await, Lookup::Found(5000));
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
}

/// At once: of many that remove one field, one finds it.
pub async fn a_field_is_removed_once(subject: &impl Subject) {
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

/// At once: what one write sets is never seen in part. Read through a write's own count, which sees both fields at one moment.
pub async fn a_write_is_seen_whole(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    let (key, both) = (&key, [set("left", "1"), set("right", "1")]);
    let sets = (0..50).map(|_| write(store, key, &both));
    let removals = [remove("left"), remove("right")];
    let removals = (0..50).map(|_| write(store, key, &removals));
    let (_, removed) = futures::future::join(all(sets), all(removals)).await;
    assert!(removed.iter().all(|removed| matches!(removed, Lookup::Found(0 | 2))), "{removed:?}");
}

/// What happens under one key does not show under another.
pub async fn keys_are_apart(subject: &impl Subject) {
    let (store, live, dead, missing) = (subject.store(), fresh_key(), fresh_key(), fresh_key());
    create(store, &live, &[set("a", "1")]).await;
    subject.bury(&dead, HOUR);
    assert_eq!(store.get(&live, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(Some("1".into())));
    assert_eq!(store.get(&dead, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Dead);
    assert_eq!(store.get(&missing, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
}

/// A change that gives a field a value.
pub fn set<'a>(field: &'a str, value: &str) -> Change<'a> {
    Change::Set { field, value: Bytes::copy_from_slice(value.as_bytes()), ttl: None }
}

/// A change that removes a field.
pub fn remove(field: &str) -> Change<'_> {
    Change::Remove { field }
}

/// Creates, to be kept for an hour.
pub async fn create(store: &dyn SessionStore, key: &SessionKey, changes: &[Change<'_>]) -> Lookup<u64> {
    create_for(store, key, changes, HOUR).await
}

/// Writes a session that has to be there, to be kept for an hour.
pub async fn try_write(
    store: &dyn SessionStore,
    key: &SessionKey,
    changes: &[Change<'_>],
) -> Result<Lookup<u64>, StoreError> {
    store.write(key, Write { mode: WriteMode::Existing, changes, expires_in: HOUR }).await
}

async fn create_for(
    store: &dyn SessionStore,
    key: &SessionKey,
    changes: &[Change<'_>],
    expires_in: Duration,
) -> Lookup<u64> {
    store.write(key, Write { mode: WriteMode::Create, changes, expires_in }).await.unwrap()
}

async fn write(store: &dyn SessionStore, key: &SessionKey, changes: &[Change<'_>]) -> Lookup<u64> {
    try_write(store, key, changes).await.unwrap()
}

async fn get(store: &dyn SessionStore, key: &SessionKey, field: &str) -> Option<Bytes> {
    match store.get(key, field, Refresh::No).await.unwrap() {
        Lookup::Found(value) => value,
        other => panic!("the session is live, not {other:?}"),
    }
}

/// Every operation reports it, and none changes that.
pub async fn assert_is_dead(store: &dyn SessionStore, key: &SessionKey) {
    for refresh in [Refresh::No, Refresh::Below { below: HOUR, expires_in: HOUR }] {
        assert_eq!(store.get(key, "a", refresh).await.unwrap(), Lookup::Dead);
        assert_eq!(store.contains(key, "a", refresh).await.unwrap(), Lookup::Dead);
    }
    for changes in [&[set("a", "1")][..], &[remove("a")], &[]] {
        assert_eq!(write(store, key, changes).await, Lookup::Dead);
        assert_eq!(create(store, key, changes).await, Lookup::Dead);
    }
    assert_eq!(store.get_many(key, &["a"], Refresh::No).await.unwrap(), Lookup::Dead);
    assert_eq!(store.modify(key, modify(replace(None))).await.unwrap(), Lookup::Dead);
    let elsewhere = Successor::fresh();
    assert_eq!(store.rotate(key, elsewhere.rotation()).await.unwrap(), Lookup::Dead);
    let destroyed = store.destroy(key, HOUR).await.unwrap();
    assert!(matches!(destroyed, Destroyed::Dead | Destroyed::Moved(_)), "{destroyed:?}");
    assert_eq!(store.time_left(key).await.unwrap(), Lookup::Dead);
    assert_eq!(store.time_left(&elsewhere.key).await.unwrap(), Lookup::Missing);
}

/// Waits for all of them, side by side.
async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::future::join_all(futures).await
}

/// Within the time that a busy machine may have needed since.
fn assert_expires_in(subject: &impl Subject, key: &SessionKey, expected: Duration) {
    let actual = subject.expires_in(key).expect("the key has an expiry");
    assert!(
        actual <= expected && actual + Duration::from_secs(30) > expected,
        "{actual:?}, not {expected:?}"
    );
}
