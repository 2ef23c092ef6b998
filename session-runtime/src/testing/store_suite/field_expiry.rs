//! Fields with their own expiry. A store without support refuses this and changes nothing.

use super::support::*;

/// The operation is refused, and nothing changes. Writes without an expiry still work.
pub async fn a_store_without_field_expiry_refuses_it(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    if store.supports_field_expiry() {
        return;
    }
    let is_refused = |error: StoreError| !error.is_unavailable();
    let changes = [set("a", "2"), expiring("b", "2", HOUR), remove("c")];
    let creation =
        Write { mode: WriteMode::Create, changes: &changes, expires_in: HOUR, index: None };
    assert!(is_refused(store.write(&key, creation).await.unwrap_err()));
    assert_is_missing(store, &key).await;

    create(store, &key, &[set("a", "1"), set("c", "1")]).await;
    assert!(is_refused(try_write(store, &key, &changes).await.unwrap_err()));
    for action in actions() {
        assert!(is_refused(
            store.modify(&key, modification("a", action, Some(HOUR))).await.unwrap_err()
        ));
    }
    assert!(is_refused(store.expire_field(&key, "a", HOUR, HOUR).await.unwrap_err()));
    if store.supports_keeping_times() {
        let keeping = Modify { ttl: Some(HOUR), ..keeping_times(Some("1"), "1") };
        assert_eq!(store.modify(&key, keeping).await.unwrap(), SWAPPED);
    }
    for (field, value) in [("a", Some("1")), ("b", None), ("c", Some("1"))] {
        assert_eq!(get(store, &key, field).await, value.map(Into::into));
        assert_eq!(store.field_expires_in(&key, field).await.unwrap(), Lookup::Found(None));
    }
    assert_eq!(store.field_expires_in(&fresh_key(), "a").await.unwrap(), Lookup::Missing);
    bury(store, &key, HOUR).await;
    assert_eq!(store.field_expires_in(&key, "a").await.unwrap(), Lookup::Dead);
}

/// The field stays as long as the expiry says, and no longer.
pub async fn a_field_is_kept_for_the_given_time(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "1", HOUR), expiring("b", "2", MOMENT), set("c", "3")])
        .await;
    assert_field_expires_in(store, &key, "a", HOUR).await;
    assert_eq!(store.field_expires_in(&key, "c").await.unwrap(), Lookup::Found(None));
    subject.advance(LATER).await;
    for (field, value) in [("a", Some("1")), ("b", None), ("c", Some("3"))] {
        assert_eq!(get(store, &key, field).await, value.map(Into::into), "{field}");
    }
}

/// A field that is written without an expiry has no expiry afterwards.
pub async fn a_write_without_an_expiry_ends_the_earlier_one(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "1", MOMENT)]).await;
    write(store, &key, &[set("a", "2")]).await;
    assert_eq!(store.field_expires_in(&key, "a").await.unwrap(), Lookup::Found(None));
    subject.advance(LATER).await;
    assert_eq!(get(store, &key, "a").await, Some("2".into()));
}

/// The new expiry may be longer or shorter. A removal in between forgets the old expiry.
pub async fn a_write_sets_a_fields_expiry_again(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    for ttl in [HOUR, HOUR * 3, HOUR / 2] {
        write(store, &key, &[expiring("a", "1", ttl)]).await;
        assert_field_expires_in(store, &key, "a", ttl).await;
    }
    write(store, &key, &[remove("a")]).await;
    write(store, &key, &[set("a", "1")]).await;
    assert_eq!(store.field_expires_in(&key, "a").await.unwrap(), Lookup::Found(None));
}

/// Other expiries neither end nor start again.
pub async fn a_write_leaves_other_fields_expiries_alone(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "1", MOMENT)]).await;
    write(store, &key, &[expiring("b", "1", HOUR), set("c", "1")]).await;
    subject.advance(LATER).await;
    assert_eq!(get(store, &key, "a").await, None);
}

/// The field looks as if removed.
pub async fn an_expired_field_is_missing_to_every_operation(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "1", MOMENT), set("b", "1")]).await;
    subject.advance(LATER).await;
    for refresh in [Refresh::No, Refresh::To(HOUR)] {
        assert_eq!(store.get(&key, "a", refresh).await.unwrap(), Lookup::Found(None));
        assert_eq!(store.contains(&key, "a", refresh).await.unwrap(), Lookup::Found(false));
        let both = store.get_many(&key, &["a", "b"], refresh).await.unwrap();
        assert_eq!(both, Lookup::Found(vec![None, Some("1".into())]));
    }
    assert_eq!(store.field_expires_in(&key, "a").await.unwrap(), Lookup::Found(None));
    assert_eq!(store.expire_field(&key, "a", HOUR, HOUR).await.unwrap(), Lookup::Found(false));
    assert_eq!(write(store, &key, &[remove("a")]).await, Lookup::Found(0));
    write(store, &key, &[set("a", "2")]).await;
    assert_eq!(get(store, &key, "a").await, Some("2".into()));
}

/// Removals before any read do not count expired fields, and count the others.
pub async fn an_expired_field_is_not_counted_as_removed(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let all =
        [expiring("a", "1", MOMENT), expiring("b", "1", MOMENT), expiring("former", "1", MOMENT)];
    write(store, &key, &[&all[..], &[set("c", "1"), expiring("d", "1", HOUR)]].concat()).await;
    subject.advance(LATER).await;
    assert_eq!(write(store, &key, &[remove("a")]).await, Lookup::Found(0));
    assert_eq!(write(store, &key, &[set("new", "1"), remove("former")]).await, Lookup::Found(0));
    let rest = [remove("b"), remove("c"), remove("d"), remove("e")];
    assert_eq!(write(store, &key, &rest).await, Lookup::Found(2));
}

/// The permanent field stays.
pub async fn a_session_outlives_its_last_field(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "1", MOMENT), expiring("b", "1", MOMENT)]).await;
    subject.advance(LATER).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
    assert_eq!(get(store, &key, PERMANENT_FIELD).await, Some("".into()));
    assert_eq!(write(store, &key, &[set("c", "1")]).await, Lookup::Found(0));
}

/// A field's expiry neither keeps a session, nor brings an old field into a new session.
pub async fn a_session_that_ends_takes_its_fields_along(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let changes = [expiring("a", "1", HOUR)];
    store
        .write(
            &key,
            Write { mode: WriteMode::Existing, changes: &changes, expires_in: MOMENT, index: None },
        )
        .await
        .unwrap();
    subject.advance(LATER).await;
    assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Missing);
    assert_eq!(store.field_expires_in(&key, "a").await.unwrap(), Lookup::Missing);
    create(store, &key, &[]).await;
    assert_eq!(get(store, &key, "a").await, None);
}

/// Covers every action that sets a value. Without an expiry, the action ends an earlier expiry.
pub async fn a_modification_sets_a_fields_expiry(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    for (at, action) in actions().into_iter().enumerate() {
        let field = format!("field {at}");
        for ttl in [HOUR, HOUR * 2] {
            write(store, &key, &[remove(&field)]).await;
            store.modify(&key, modification(&field, action.clone(), Some(ttl))).await.unwrap();
            assert_field_expires_in(store, &key, &field, ttl).await;
        }
        let replace = Action::Replace(Some("2".into()));
        store.modify(&key, modification(&field, replace, None)).await.unwrap();
        assert_eq!(store.field_expires_in(&key, &field).await.unwrap(), Lookup::Found(None));
    }
    store.modify(&key, modification("field 0", Action::Replace(None), Some(HOUR))).await.unwrap();
    assert_eq!(get(store, &key, "field 0").await, None);
}

/// A value that stays keeps the remaining time.
pub async fn a_modification_that_changes_nothing_leaves_the_expiry(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "text", HOUR)]).await;
    let other = Action::CompareAndSet {
        expected: Some("other".into()),
        or_missing: false,
        value: Some("1".into()),
    };
    for action in [Action::GetOrSet("1".into()), other, add(1)] {
        store.modify(&key, modification("a", action, Some(HOUR * 3))).await.unwrap();
        assert_field_expires_in(store, &key, "a", HOUR).await;
        assert_eq!(get(store, &key, "a").await, Some("text".into()));
    }
}

/// The present name gets the expiry, and the former name loses both value and expiry.
pub async fn a_modification_replaces_an_alias_with_an_expiry(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("old", "1", HOUR * 3)]).await;
    let modify = Modify { alias: Some("old"), ..modification("a", add(1), Some(HOUR)) };
    assert_eq!(store.modify(&key, modify).await.unwrap(), Lookup::Found(Modified::Sum("2".into())));
    assert_field_expires_in(store, &key, "a", HOUR).await;
    assert_eq!(get(store, &key, "old").await, None);
}

/// The value expires when the former value would have, under either name. A value without an
/// expiry gets none.
pub async fn a_change_that_keeps_times_leaves_the_fields_expiry(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    if !store.supports_keeping_times() {
        return;
    }
    for (held, ttl) in [("a", None), ("a", Some(HOUR * 3)), ("old", None), ("old", Some(HOUR * 3))]
    {
        write(store, &key, &[remove("a"), remove("old")]).await;
        write(store, &key, &[expiring(held, "1", HOUR), expiring("b", "1", HOUR)]).await;
        subject.advance(MOMENT).await;
        for (expected, value) in [("1", "2"), ("2", "3"), ("1", "4")] {
            let change = Modify { alias: Some("old"), ttl, ..keeping_times(Some(expected), value) };
            store.modify(&key, change).await.unwrap();
            let left = store.field_expires_in(&key, "a").await.unwrap();
            let Lookup::Found(Some(left)) = left else { panic!("an expiry, not {left:?}") };
            assert!(left < HOUR && left + MINUTE > HOUR, "{left:?}");
        }
        assert_eq!(get(store, &key, "a").await, Some("3".into()));
        write(store, &key, &[set("a", "1")]).await;
        store.modify(&key, Modify { ttl, ..keeping_times(Some("1"), "2") }).await.unwrap();
        assert_eq!(store.field_expires_in(&key, "a").await.unwrap(), Lookup::Found(None));
        assert_field_expires_in(store, &key, "b", HOUR).await;
    }
    write(store, &key, &[expiring("a", "1", MOMENT)]).await;
    assert_eq!(store.modify(&key, keeping_times(Some("1"), "2")).await.unwrap(), SWAPPED);
    subject.advance(LATER).await;
    assert_eq!(get(store, &key, "a").await, None);
}

/// Covers a field under the present name and under an alias.
pub async fn an_expired_field_counts_as_missing_to_modifications(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "5", MOMENT), expiring("old", "7", MOMENT)]).await;
    subject.advance(LATER).await;
    let modify = Modify { alias: Some("old"), ..modification("a", add(1), Some(HOUR)) };
    assert_eq!(store.modify(&key, modify).await.unwrap(), Lookup::Found(Modified::Sum("1".into())));
}

/// Covers a live session with the field and without the field.
pub async fn expire_field_gives_an_expiry_and_refreshes_the_session(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[set("a", "1"), set("b", "1")]).await;
    for (ttl, expires_in) in [(HOUR * 5, HOUR * 2), (HOUR, HOUR * 3)] {
        assert_eq!(
            store.expire_field(&key, "a", ttl, expires_in).await.unwrap(),
            Lookup::Found(true)
        );
        assert_field_expires_in(store, &key, "a", ttl).await;
        assert_expires_in(store, &key, expires_in).await;
    }
    assert_eq!(store.expire_field(&key, "x", HOUR, HOUR * 4).await.unwrap(), Lookup::Found(false));
    assert_expires_in(store, &key, HOUR * 4).await;
    assert_eq!(store.field_expires_in(&key, "b").await.unwrap(), Lookup::Found(None));

    store.expire_field(&key, "a", MOMENT, HOUR).await.unwrap();
    subject.advance(LATER).await;
    assert_eq!(get(store, &key, "a").await, None);
    assert_eq!(get(store, &key, "b").await, Some("1".into()));
}

/// Creates neither a session nor a tombstone.
pub async fn expire_field_ignores_missing_fields(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let missing = fresh_key();
    assert_eq!(store.expire_field(&missing, "a", HOUR, HOUR).await.unwrap(), Lookup::Missing);
    assert_is_missing(store, &missing).await;
    bury(store, &key, HOUR).await;
    assert_eq!(store.expire_field(&key, "a", HOUR, HOUR * 2).await.unwrap(), Lookup::Dead);
}

/// Covers existing and missing fields. Refreshes nothing.
pub async fn expires_in_of_a_field(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[expiring("a", "1", HOUR)]).await;
    let session = expires_in(store, &key).await;
    subject.advance(Duration::from_millis(30)).await;
    let Lookup::Found(Some(left)) = store.field_expires_in(&key, "a").await.unwrap() else {
        panic!("the field has an expiry")
    };
    assert!(left <= HOUR - Duration::from_millis(25) && left + MINUTE > HOUR, "{left:?}");
    assert!(expires_in(store, &key).await <= session - Duration::from_millis(25));
    assert_eq!(store.field_expires_in(&key, "x").await.unwrap(), Lookup::Found(None));
    assert_eq!(store.field_expires_in(&fresh_key(), "a").await.unwrap(), Lookup::Missing);
    bury(store, &key, HOUR).await;
    assert_eq!(store.field_expires_in(&key, "a").await.unwrap(), Lookup::Dead);
}

/// The expiries move with the data.
pub async fn a_rotation_keeps_the_fields_expiries(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let successor = Successor::fresh();
    write(store, &key, &[expiring("a", "1", HOUR), expiring("b", "1", MOMENT)]).await;
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert_field_expires_in(store, &successor.key, "a", HOUR).await;
    subject.advance(LATER).await;
    assert_eq!(get(store, &successor.key, "b").await, None);
}

/// Covers times below a store's precision, and times above a clock's range.
pub async fn expiries_of_extreme_lengths_do_no_harm(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let century = HOUR * 24 * 365 * 100;
    let (shortest, longest) = (Duration::from_nanos(1), Duration::MAX);
    write(store, &key, &[expiring("a", "1", shortest), expiring("b", "1", longest), set("c", "1")])
        .await;
    store.expire_field(&key, "c", longest, HOUR).await.unwrap();
    subject.advance(Duration::from_millis(20)).await;
    assert_eq!(get(store, &key, "a").await, None);
    for field in ["b", "c"] {
        let left = store.field_expires_in(&key, field).await.unwrap();
        assert!(matches!(left, Lookup::Found(Some(left)) if left > century), "{left:?}");
    }
    store.modify(&key, modification("d", add(1), Some(longest))).await.unwrap();
    store.expire_field(&key, "b", shortest, HOUR).await.unwrap();
    subject.advance(Duration::from_millis(20)).await;
    assert_eq!(get(store, &key, "b").await, None);
    assert_eq!(get(store, &key, "d").await, Some("1".into()));
}

/// The write also contains other fields and removals.
pub async fn hundreds_of_expiring_fields_are_one_write(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let names: Vec<_> = (0..1500).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names.iter().map(|name| set(name, "1")).collect();
    write(store, &key, &sets).await;
    let changes: Vec<_> = names
        .chunks(3)
        .flat_map(|names| {
            [expiring(&names[0], "2", MOMENT), set(&names[1], "2"), remove(&names[2])]
        })
        .collect();
    assert_eq!(write(store, &key, &changes).await, Lookup::Found(500));
    subject.advance(LATER).await;
    let expired: Vec<_> = names.iter().step_by(3).map(String::as_str).collect();
    let values = store.get_many(&key, &expired, Refresh::No).await.unwrap();
    assert_eq!(values, Lookup::Found(vec![None; expired.len()]));
    assert_eq!(get(store, &key, &names[1]).await, Some("2".into()));
}

/// Returns a live session, if the store can expire fields.
async fn created(subject: &impl StoreUnderTest) -> Option<(&dyn SessionStore, SessionKey)> {
    let (store, key) = (subject.store(), fresh_key());
    if !store.supports_field_expiry() {
        return None;
    }
    create(store, &key, &[]).await;
    Some((store, key))
}

fn expiring<'a>(field: &'a str, value: &'static str, ttl: Duration) -> Change<'a> {
    Change::Set { field, value: value.into(), ttl: Some(ttl) }
}

fn modification(field: &str, action: Action, ttl: Option<Duration>) -> Modify<'_> {
    Modify {
        mode: WriteMode::Existing,
        field,
        alias: None,
        action,
        ttl,
        expires_in: HOUR,
        index: None,
        keeps_times: false,
    }
}

/// The actions that set a missing field.
fn actions() -> Vec<Action> {
    let add_float = Action::AddFloat { by: 0.5, default: 1.0, single: false };
    let compare =
        Action::CompareAndSet { expected: None, or_missing: true, value: Some("1".into()) };
    vec![
        Action::Replace(Some("1".into())),
        Action::GetOrSet("1".into()),
        compare,
        add(1),
        add_float,
    ]
}

fn add(by: i128) -> Action {
    Action::AddInteger { by, default: 0, min: 0, max: 1000 }
}

async fn assert_field_expires_in(
    store: &dyn SessionStore,
    key: &SessionKey,
    field: &str,
    expected: Duration,
) {
    let left = store.field_expires_in(key, field).await.unwrap();
    let is_about = |left: Duration| left <= expected && left + MINUTE > expected;
    assert!(
        matches!(left, Lookup::Found(Some(left)) if is_about(left)),
        "{left:?} instead of {expected:?}"
    );
}
