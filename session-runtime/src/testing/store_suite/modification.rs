//! Changes of a field that depend on the field's value.

use super::support::*;

/// An example of each action, with all outcomes on a field that holds `x`, that holds `1` or that
/// is missing.
fn actions() -> Vec<Action> {
    vec![
        replace(Some("new")),
        replace(None),
        Action::GetOrSet("new".into()),
        exchange(Some("x"), Some("new")),
        exchange(Some("1"), Some("new")),
        exchange(None, Some("new")),
        exchange(None, None),
        exchange(Some("1"), None),
        add(1),
        Action::AddInteger { by: 9, default: 0, min: 0, max: 8 },
        add_float(0.5),
        add_float(f64::INFINITY),
    ]
}

/// A missing field differs from an empty value.
pub async fn a_replacement_returns_the_former_value(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    for (new, was) in [
        (Some("1"), None),
        (Some(""), Some("1")),
        (Some("2"), Some("")),
        (None, Some("2")),
        (None, None),
    ] {
        assert_eq!(carry_out(store, &key, replace(new)).await, value(was));
        assert_eq!(get(store, &key, "a").await, new.map(Bytes::from));
    }
}

/// The first value stays.
pub async fn a_value_is_set_once(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    for new in ["", "2"] {
        assert_eq!(carry_out(store, &key, Action::GetOrSet(new.into())).await, value(Some("")));
        assert_eq!(get(store, &key, "a").await, Some("".into()));
    }
}

/// Covers every combination of stored value, expected value and `or_missing`.
pub async fn compare_and_set_compares_with_the_expected_value(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    let texts =
        [None, Some(""), Some("1"), Some("1\u{0}"), Some("01")].map(|text| text.map(Bytes::from));
    for held in &texts {
        for expected in &texts {
            for or_missing in [false, true] {
                for new in [None, Some(Bytes::from("new")), Some(Bytes::new())] {
                    carry_out(store, &key, Action::Replace(held.clone())).await;
                    let action = Action::CompareAndSet {
                        expected: expected.clone(),
                        or_missing,
                        value: new.clone(),
                    };
                    let swaps = held == expected || held.is_none() && or_missing;
                    assert_eq!(carry_out(store, &key, action).await, Modified::Swapped(swaps));
                    assert_eq!(get(store, &key, "a").await, if swaps { new } else { held.clone() });
                }
            }
        }
    }
}

/// Covers every action, whatever the outcome would be.
pub async fn a_modification_of_an_existing_session_creates_nothing(subject: &impl StoreUnderTest) {
    let (store, missing, expired) = (subject.store(), fresh_key(), fresh_key());
    create_for(store, &expired, &[set("a", "1")], MOMENT).await;
    subject.advance(LATER).await;
    for key in [&missing, &expired] {
        for action in actions() {
            assert_eq!(store.modify(key, modify(action)).await.unwrap(), Lookup::Missing);
            assert_is_missing(store, key).await;
        }
    }
}

/// Every action that succeeds creates a session, even without a change. A failing action creates
/// none.
pub async fn a_modification_may_create_a_session(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for action in actions() {
        let key = fresh_key();
        let creation =
            Modify { mode: WriteMode::Create, expires_in: HOUR * 2, ..modify(action.clone()) };
        let begun = store.modify(&key, creation).await.unwrap();
        let there = fresh_key();
        create(store, &there, &[]).await;
        let modified = carry_out(store, &there, action).await;
        if matches!(
            modified,
            Modified::Swapped(false) | Modified::NotANumber | Modified::OutOfRange
        ) {
            assert_eq!(begun, Lookup::Missing);
            assert_is_missing(store, &key).await;
            continue;
        }
        assert_eq!(begun, Lookup::Found(modified));
        assert_eq!(get(store, &key, "a").await, get(store, &there, "a").await);
        assert_eq!(get(store, &key, PERMANENT_FIELD).await, Some(Bytes::new()));
        assert_expires_in(store, &key, HOUR * 2).await;
    }
}

/// Covers both modes.
pub async fn a_modification_of_a_dead_key_is_dead(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    bury(store, &key, HOUR).await;
    for action in actions() {
        for mode in [WriteMode::Existing, WriteMode::Create] {
            let modify = Modify { mode, expires_in: MINUTE, ..modify(action.clone()) };
            assert_eq!(store.modify(&key, modify).await.unwrap(), Lookup::Dead);
        }
    }
}

/// The expiry may be longer or shorter. Covers both modes, and actions that change nothing.
pub async fn a_modification_sets_the_expiry(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for action in actions() {
        for held in [&[][..], &[set("a", "x")], &[set("a", "1")]] {
            let key = fresh_key();
            create(store, &key, held).await;
            for (mode, expires_in) in
                [(WriteMode::Existing, HOUR * 2), (WriteMode::Create, HOUR / 2)]
            {
                let modify = Modify { mode, expires_in, ..modify(action.clone()) };
                store.modify(&key, modify).await.unwrap();
                assert_expires_in(store, &key, expires_in).await;
            }
        }
    }
}

/// The permanent field stays too.
pub async fn a_modification_leaves_other_fields_alone(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for action in actions() {
        let key = fresh_key();
        create(store, &key, &[set("a", "1"), set("b", "\u{0}ä\r\n"), set("former", "2")]).await;
        carry_out(store, &key, action).await;
        for (field, value) in [("b", "\u{0}ä\r\n"), ("former", "2"), (PERMANENT_FIELD, "")] {
            assert_eq!(get(store, &key, field).await, Some(value.into()));
        }
    }
}

/// This is the purpose of the permanent field.
pub async fn modifying_the_last_field_away_keeps_the_session(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for removal in [replace(None), exchange(Some("1"), None)] {
        let key = fresh_key();
        create(store, &key, &[set("a", "1")]).await;
        carry_out(store, &key, removal).await;
        assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
    }
}

/// Time goes on until the same expiry, for a value under either name.
pub async fn a_change_that_keeps_times_leaves_the_expiry(subject: &impl StoreUnderTest) {
    let store = subject.store();
    if !store.supports_keeping_times() {
        return;
    }
    for held in ["a", "former"] {
        for expires_in in [HOUR * 2, HOUR / 2, MOMENT] {
            let key = fresh_key();
            create(store, &key, &[set(held, "1"), set("b", "1")]).await;
            let before = super::support::expires_in(store, &key).await;
            subject.advance(MOMENT).await;
            let change =
                Modify { alias: Some("former"), expires_in, ..keeping_times(Some("1"), "2") };
            assert_eq!(store.modify(&key, change).await.unwrap(), SWAPPED);
            let after = super::support::expires_in(store, &key).await;
            assert!(after < before && after + MINUTE > before, "{before:?}, then {after:?}");
            assert_eq!(get(store, &key, "a").await, Some("2".into()));
            assert_eq!(get(store, &key, "former").await, None);
            assert_eq!(get(store, &key, "b").await, Some("1".into()));
        }
    }
}

/// Covers missing, expired and dead sessions.
pub async fn a_change_that_keeps_times_creates_nothing(subject: &impl StoreUnderTest) {
    let (store, missing, expired, dead) = (subject.store(), fresh_key(), fresh_key(), fresh_key());
    if !store.supports_keeping_times() {
        return;
    }
    create_for(store, &expired, &[set("a", "1")], MOMENT).await;
    bury(store, &dead, HOUR).await;
    subject.advance(LATER).await;
    for expected in [Some("1"), None] {
        for key in [&missing, &expired] {
            let modified = store.modify(key, keeping_times(expected, "2")).await.unwrap();
            assert_eq!(modified, Lookup::Missing);
            assert_is_missing(store, key).await;
        }
        assert_eq!(store.modify(&dead, keeping_times(expected, "2")).await.unwrap(), Lookup::Dead);
    }
    assert_is_dead(store, &dead).await;
}

/// Neither the values nor the expiry.
pub async fn a_failed_comparison_that_keeps_times_changes_nothing(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    if !store.supports_keeping_times() {
        return;
    }
    create(store, &key, &[set("former", "1")]).await;
    let before = expires_in(store, &key).await;
    subject.advance(MOMENT).await;
    for expected in [Some("2"), None] {
        let change =
            Modify { alias: Some("former"), expires_in: HOUR * 2, ..keeping_times(expected, "2") };
        let failed = Lookup::Found(Modified::Swapped(false));
        assert_eq!(store.modify(&key, change).await.unwrap(), failed);
    }
    assert!(expires_in(store, &key).await < before);
    assert_eq!(get(store, &key, "former").await, Some("1".into()));
    assert_eq!(get(store, &key, "a").await, None);
}

/// The value is under the former name alone, or under both names, and then the present name counts.
/// The place of the value makes no other difference.
pub async fn the_value_of_an_alias_counts_until_the_field_is_changed(
    subject: &impl StoreUnderTest,
) {
    let store = subject.store();
    for action in actions() {
        for held in ["x", "1"] {
            for own in [None, Some("other"), Some("")] {
                let (key, plain) = (fresh_key(), fresh_key());
                let (held, alias) = own.map_or((held, held), |own| (own, held));
                create(store, &plain, &[set("a", held)]).await;
                create(store, &key, &[set("former", alias)]).await;
                if own.is_some() {
                    write(store, &key, &[set("a", held)]).await;
                }
                let expected = carry_out(store, &plain, action.clone()).await;
                let modify = Modify { alias: Some("former"), ..modify(action.clone()) };
                assert_eq!(
                    store.modify(&key, modify).await.unwrap(),
                    Lookup::Found(expected.clone())
                );
                let former = get(store, &key, "former").await;
                if changes(&action, &expected) {
                    assert_eq!(former, None, "{action:?} of {held}");
                    assert_eq!(get(store, &key, "a").await, get(store, &plain, "a").await);
                } else {
                    assert_eq!(former, Some(alias.into()), "{action:?} of {held}");
                    assert_eq!(get(store, &key, "a").await, own.map(Bytes::from));
                }
            }
        }
    }
}

/// The result is the same as without an alias.
pub async fn an_empty_alias_changes_nothing(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for action in actions() {
        for held in [&[][..], &[set("a", "x")], &[set("a", "1")]] {
            let (key, plain) = (fresh_key(), fresh_key());
            create(store, &key, held).await;
            create(store, &plain, held).await;
            let expected = carry_out(store, &plain, action.clone()).await;
            let modify = Modify { alias: Some("former"), ..modify(action.clone()) };
            assert_eq!(store.modify(&key, modify).await.unwrap(), Lookup::Found(expected));
            assert_eq!(get(store, &key, "a").await, get(store, &plain, "a").await);
            assert_eq!(get(store, &key, "former").await, None);
        }
    }
}

/// Covers any present or former name that a schema may use.
pub async fn unusual_names_can_be_modified(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    for field in ["ä€𝄞", "with space", "\u{0}", "replace", "-1", "\r\n"] {
        create(store, &key, &[set("former", "1")]).await;
        let there = Modify { field, alias: Some("former"), ..modify(add(1)) };
        assert_eq!(store.modify(&key, there).await.unwrap(), Lookup::Found(sum("2")));
        let back = Modify { field: "former", alias: Some(field), ..modify(add(1)) };
        assert_eq!(store.modify(&key, back).await.unwrap(), Lookup::Found(sum("3")));
        assert_eq!(get(store, &key, field).await, None);
    }
}

/// Covers NUL, invalid UTF-8 and a megabyte.
pub async fn any_bytes_can_be_exchanged(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let bytes: Bytes = (0..=u8::MAX).collect();
    let large: Bytes = (0..1 << 20).map(|at: u32| (at % 251) as u8).collect();
    create(store, &key, &[]).await;
    assert_eq!(
        carry_out(store, &key, Action::GetOrSet(bytes.clone())).await,
        Modified::Value(Some(bytes.clone()))
    );
    let [there, back] =
        [(&bytes, &large), (&large, &bytes)].map(|(expected, value)| Action::CompareAndSet {
            expected: Some(expected.clone()),
            or_missing: false,
            value: Some(value.clone()),
        });
    assert_eq!(carry_out(store, &key, there).await, Modified::Swapped(true));
    assert_eq!(get(store, &key, "a").await, Some(large));
    assert_eq!(carry_out(store, &key, back).await, Modified::Swapped(true));
    assert_eq!(carry_out(store, &key, replace(None)).await, Modified::Value(Some(bytes)));
}

/// The exchanges are concurrent. The others find another value.
pub async fn one_of_several_concurrent_exchanges_wins(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), &fresh_key());
    for round in 0..10 {
        create(store, key, &[set("former", "old"), remove("a")]).await;
        let exchanges = (0..64).map(|at| async move {
            let value = Some(Bytes::from(format!("{round}: {at}")));
            let expected = Some("old".into());
            let action =
                Action::CompareAndSet { expected, or_missing: false, value: value.clone() };
            let modify = Modify { alias: Some("former"), ..modify(action) };
            (store.modify(key, modify).await.unwrap() == Lookup::Found(Modified::Swapped(true)))
                .then_some(value)
        });
        let winners: Vec<_> = all(exchanges).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(get(store, key, "a").await, winners[0]);
    }
}

/// The operations are concurrent. Only the first gets the value.
pub async fn a_value_is_taken_once(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), &fresh_key());
    for _ in 0..10 {
        create(store, key, &[set("a", "1")]).await;
        let taken = all((0..64).map(|_| carry_out(store, key, replace(None)))).await;
        assert_eq!(taken.iter().filter(|taken| **taken == value(Some("1"))).count(), 1);
        assert_eq!(taken.iter().filter(|taken| **taken == value(None)).count(), 63);
    }
}

/// The operations are concurrent, and the first creates the session.
pub async fn a_value_that_is_set_once_is_the_same_for_all(subject: &impl StoreUnderTest) {
    let store = subject.store();
    for _ in 0..10 {
        let key = &fresh_key();
        let settings = (0..64).map(|at| async move {
            let action = Action::GetOrSet(format!("{at}").into());
            let creation = Modify { mode: WriteMode::Create, ..modify(action) };
            store.modify(key, creation).await.unwrap()
        });
        let told = all(settings).await;
        assert!(matches!(told[0], Lookup::Found(Modified::Value(Some(_)))));
        assert!(told.iter().all(|value| *value == told[0]));
        assert_eq!(Lookup::Found(Modified::Value(get(store, key, "a").await)), told[0]);
    }
}

fn changes(action: &Action, modified: &Modified) -> bool {
    match modified {
        Modified::Value(_) => matches!(action, Action::Replace(_)),
        Modified::Swapped(swapped) => *swapped,
        Modified::Sum(_) => true,
        Modified::NotANumber | Modified::OutOfRange => false,
    }
}
