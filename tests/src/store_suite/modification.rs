//! Changes of one field that depend on what it holds.

use std::collections::HashSet;

use bytes::Bytes;
use session_runtime::{
    Action, Lookup, Modified, Modify, PERMANENT_FIELD, Refresh, SessionKey, SessionStore, WriteMode,
};

use super::{
    Duration, HOUR, MINUTE, Subject, all, assert_expires_in, create, create_for, fresh_key, get, remove, set,
    write,
};

/// A modification of the field `a`, which has no alias, in a session that has to be there and is kept for an hour.
pub fn modify(action: Action) -> Modify<'static> {
    Modify { mode: WriteMode::Existing, field: "a", alias: None, action, ttl: None, expires_in: HOUR }
}

/// Gives it a value, or removes it.
pub fn replace(value: Option<&'static str>) -> Action {
    Action::Replace(value.map(Bytes::from))
}

/// Adds within what an `i64` can be, to zero if there is nothing.
pub fn add(by: i128) -> Action {
    Action::AddInteger { by, default: 0, min: i64::MIN.into(), max: i64::MAX.into() }
}

/// Adds 64 bits, to zero if there is nothing.
pub fn add_float(by: f64) -> Action {
    Action::AddFloat { by, default: 0.0, single: false }
}

/// Something is exchanged for something.
pub fn exchange(expected: Option<&'static str>, value: Option<&'static str>) -> Action {
    let [expected, value] = [expected, value].map(|text| text.map(Bytes::from));
    Action::CompareAndSet { expected, or_missing: false, value }
}

/// One of each, in all their outcomes on a field that holds `x`, on one that holds `1`, and on one that holds nothing.
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

/// Nothing is nothing, what is empty is something.
pub async fn a_replacement_tells_what_was_there(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    for (new, was) in
        [(Some("1"), None), (Some(""), Some("1")), (Some("2"), Some("")), (None, Some("2")), (None, None)]
    {
        assert_eq!(carry_out(store, &key, replace(new)).await, value(was));
        assert_eq!(get(store, &key, "a").await, new.map(Bytes::from));
    }
}

/// The first value stays.
pub async fn a_value_is_set_once(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    for new in ["", "2"] {
        assert_eq!(carry_out(store, &key, Action::GetOrSet(new.into())).await, value(Some("")));
        assert_eq!(get(store, &key, "a").await, Some("".into()));
    }
}

/// Every combination of what is held, what is expected, and whether nothing is as good.
pub async fn values_are_exchanged_for_what_is_expected(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    let texts = [None, Some(""), Some("1"), Some("1\u{0}"), Some("01")].map(|text| text.map(Bytes::from));
    for held in &texts {
        for expected in &texts {
            for or_missing in [false, true] {
                for new in [None, Some(Bytes::from("new")), Some(Bytes::new())] {
                    carry_out(store, &key, Action::Replace(held.clone())).await;
                    let action =
                        Action::CompareAndSet { expected: expected.clone(), or_missing, value: new.clone() };
                    let swaps = held == expected || held.is_none() && or_missing;
                    assert_eq!(carry_out(store, &key, action).await, Modified::Swapped(swaps));
                    assert_eq!(get(store, &key, "a").await, if swaps { new } else { held.clone() });
                }
            }
        }
    }
}

/// None of the actions, whatever it would have come to.
pub async fn a_modification_of_what_has_to_be_there_begins_nothing(subject: &impl Subject) {
    let (store, missing, expired) = (subject.store(), fresh_key(), fresh_key());
    create_for(store, &expired, &[set("a", "1")], Duration::from_millis(40)).await;
    subject.pass(Duration::from_millis(60)).await;
    for key in [&missing, &expired] {
        for action in actions() {
            assert_eq!(store.modify(key, modify(action)).await.unwrap(), Lookup::Missing);
            assert_eq!(subject.expires_in(key), None);
        }
    }
}

/// Any of the actions that succeeds, also one that changes nothing. What fails begins nothing.
pub async fn a_modification_may_begin_a_session(subject: &impl Subject) {
    let store = subject.store();
    for action in actions() {
        let key = fresh_key();
        let creation = Modify { mode: WriteMode::Create, expires_in: HOUR * 2, ..modify(action.clone()) };
        let begun = store.modify(&key, creation).await.unwrap();
        let there = fresh_key();
        create(store, &there, &[]).await;
        let modified = carry_out(store, &there, action).await;
        if matches!(modified, Modified::Swapped(false) | Modified::NotANumber | Modified::OutOfRange) {
            assert_eq!(begun, Lookup::Missing);
            assert_eq!(subject.expires_in(&key), None);
            continue;
        }
        assert_eq!(begun, Lookup::Found(modified));
        assert_eq!(get(store, &key, "a").await, get(store, &there, "a").await);
        assert_eq!(get(store, &key, PERMANENT_FIELD).await, Some(Bytes::new()));
        assert_expires_in(subject, &key, HOUR * 2);
    }
}

/// In either mode, and its tombstone stays as it is.
pub async fn a_modification_of_a_dead_key_is_dead(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    subject.bury(&key, HOUR);
    for action in actions() {
        for mode in [WriteMode::Existing, WriteMode::Create] {
            let modify = Modify { mode, expires_in: MINUTE, ..modify(action.clone()) };
            assert_eq!(store.modify(&key, modify).await.unwrap(), Lookup::Dead);
        }
    }
    assert_expires_in(subject, &key, HOUR);
}

/// Longer or shorter, in either mode, also by what changes nothing.
pub async fn a_modification_sets_the_expiry(subject: &impl Subject) {
    let store = subject.store();
    for action in actions() {
        for held in [&[][..], &[set("a", "x")], &[set("a", "1")]] {
            let key = fresh_key();
            create(store, &key, held).await;
            for (mode, expires_in) in [(WriteMode::Existing, HOUR * 2), (WriteMode::Create, HOUR / 2)] {
                let modify = Modify { mode, expires_in, ..modify(action.clone()) };
                store.modify(&key, modify).await.unwrap();
                assert_expires_in(subject, &key, expires_in);
            }
        }
    }
}

/// The permanent field, too.
pub async fn a_modification_leaves_other_fields_alone(subject: &impl Subject) {
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

/// The permanent field's reason to be.
pub async fn modifying_the_last_field_away_keeps_the_session(subject: &impl Subject) {
    let store = subject.store();
    for removal in [replace(None), exchange(Some("1"), None)] {
        let key = fresh_key();
        create(store, &key, &[set("a", "1")]).await;
        carry_out(store, &key, removal).await;
        assert_eq!(store.get(&key, "a", Refresh::To(HOUR)).await.unwrap(), Lookup::Found(None));
    }
}

/// Under the former name alone, or under both names, of which the field's own counts; and it makes no difference but for where it is.
pub async fn what_an_alias_holds_is_held_until_the_field_is_changed(subject: &impl Subject) {
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
                assert_eq!(store.modify(&key, modify).await.unwrap(), Lookup::Found(expected.clone()));
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

/// As without one.
pub async fn an_alias_that_holds_nothing_changes_nothing(subject: &impl Subject) {
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

/// Whatever a schema calls a field, or called it.
pub async fn unusual_names_can_be_modified(subject: &impl Subject) {
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

/// NUL, invalid UTF-8, and a megabyte.
pub async fn any_bytes_can_be_exchanged(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    let bytes: Bytes = (0..=u8::MAX).collect();
    let large: Bytes = (0..1 << 20).map(|at: u32| (at % 251) as u8).collect();
    create(store, &key, &[]).await;
    assert_eq!(
        carry_out(store, &key, Action::GetOrSet(bytes.clone())).await,
        Modified::Value(Some(bytes.clone()))
    );
    let [there, back] = [(&bytes, &large), (&large, &bytes)].map(|(expected, value)| Action::CompareAndSet {
        expected: Some(expected.clone()),
        or_missing: false,
        value: Some(value.clone()),
    });
    assert_eq!(carry_out(store, &key, there).await, Modified::Swapped(true));
    assert_eq!(get(store, &key, "a").await, Some(large));
    assert_eq!(carry_out(store, &key, back).await, Modified::Swapped(true));
    assert_eq!(carry_out(store, &key, replace(None)).await, Modified::Value(Some(bytes)));
}

/// Up to the limits, and not past them.
pub async fn integers_are_added_within_their_limits(subject: &impl Subject) {
    const I64: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
    const U64: (i128, i128) = (0, u64::MAX as i128);
    let (store, key) = (subject.store(), fresh_key());
    for (held, by, (min, max), expected) in [
        ("41", 1, I64, Some("42")),
        ("-1", 1, I64, Some("0")),
        ("0", -1, I64, Some("-1")),
        ("0", 0, I64, Some("0")),
        ("9007199254740992", 1, I64, Some("9007199254740993")),
        ("-9007199254740992", -1, I64, Some("-9007199254740993")),
        ("999999999999999", 1, I64, Some("1000000000000000")),
        ("-1000000000000000", 1, I64, Some("-999999999999999")),
        ("9223372036854775806", 1, I64, Some("9223372036854775807")),
        ("9223372036854775807", 1, I64, None),
        ("-9223372036854775807", -1, I64, Some("-9223372036854775808")),
        ("-9223372036854775808", -1, I64, None),
        ("-9223372036854775808", U64.1, I64, Some("9223372036854775807")),
        ("9223372036854775807", -U64.1, I64, Some("-9223372036854775808")),
        ("-9223372036854775808", U64.1 + 1, I64, None),
        ("18446744073709551614", 1, U64, Some("18446744073709551615")),
        ("18446744073709551615", 1, U64, None),
        ("18446744073709551615", -U64.1, U64, Some("0")),
        ("18446744073709551615", -U64.1 - 1, U64, None),
        ("0", U64.1, U64, Some("18446744073709551615")),
        ("0", -1, U64, None),
        ("255", 1, (0, 255), None),
        ("255", -255, (0, 255), Some("0")),
        ("127", i128::MAX, (-128, 127), None),
        ("-128", i128::MIN, (-128, 127), None),
        ("5", 0, (5, 5), Some("5")),
    ] {
        create(store, &key, &[set("a", held)]).await;
        let summed = carry_out(store, &key, Action::AddInteger { by, default: 7, min, max }).await;
        assert_eq!(summed, expected.map_or(Modified::OutOfRange, sum), "{held} + {by}");
        assert_eq!(get(store, &key, "a").await, Some(expected.unwrap_or(held).into()), "{held} + {by}");
    }
}

/// Canonical text alone: what one could count on from. What is beyond the limits is none of their numbers.
pub async fn what_is_no_integer_is_not_added_to(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    let long = "1".repeat(100_000);
    for held in [
        "",
        "-",
        "+1",
        "01",
        "-01",
        "00",
        "-0",
        " 1",
        "1 ",
        "1\n",
        "1\u{0}",
        "1.0",
        "1e3",
        "0x10",
        "1_000",
        "--1",
        "-1-",
        "abc",
        "٣",
        "inf",
        "nan",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        &long,
    ] {
        create(store, &key, &[set("a", held)]).await;
        for by in [0, 1, -1, i64::MIN.into()] {
            assert_eq!(carry_out(store, &key, add(by)).await, Modified::NotANumber, "{held:.30?}");
        }
        assert_eq!(get(store, &key, "a").await, Some(Bytes::copy_from_slice(held.as_bytes())));
    }
    for (held, min, max) in [("300", 0, 255), ("-1", 0, 255), ("128", -128, 127), ("-129", -128, 127)] {
        create(store, &key, &[set("a", held)]).await;
        let action = Action::AddInteger { by: -held.parse::<i128>().unwrap(), default: 0, min, max };
        assert_eq!(carry_out(store, &key, action).await, Modified::NotANumber, "{held}");
    }
}

/// An integer, a number of 64 and one of 32 bits; and nothing is left behind when the sum is refused.
pub async fn a_field_that_holds_nothing_counts_as_its_default(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    for (by, default, expected) in [
        (1, 100, Some("101")),
        (-1, 0, Some("-1")),
        (-i128::from(u64::MAX), i64::MAX.into(), Some("-9223372036854775808")),
        (1, i64::MAX.into(), None),
    ] {
        let action = Action::AddInteger { by, default, min: i64::MIN.into(), max: i64::MAX.into() };
        assert_eq!(carry_out(store, &key, action).await, expected.map_or(Modified::OutOfRange, sum));
        assert_eq!(carry_out(store, &key, replace(None)).await, value(expected));
    }
    for (by, default, single, expected) in [
        (0.5, 100.0, false, Some("100.5")),
        (0.2, 0.1, false, Some("0.30000000000000004")),
        (0.2, 0.1, true, Some("0.3")),
        (f64::from(0.2_f32), f64::from(0.1_f32), true, Some("0.3")),
        (1e38, 3e38, true, None),
        (1e38, 3e38, false, Some("400000000000000000000000000000000000000")),
        (f64::MAX, f64::MAX, false, None),
    ] {
        let action = Action::AddFloat { by, default, single };
        assert_eq!(carry_out(store, &key, action).await, expected.map_or(Modified::OutOfRange, sum));
        assert_eq!(carry_out(store, &key, replace(None)).await, value(expected));
    }
}

/// In every text that reads as a number; and the sum's text is that which the number has when it is set.
pub async fn floats_are_added_as_ieee_754_does(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    for (held, by, expected) in [
        ("0.1", 0.2, "0.30000000000000004"),
        ("3.0", 1.0, "4"),
        ("1e+16", 1.0, "10000000000000000"),
        ("1E-2", 0.0, "0.01"),
        ("+.5", 0.0, "0.5"),
        ("5.", 0.0, "5"),
        ("-0", -0.0, "-0"),
        ("-0", 0.0, "0"),
        ("1e-400", 0.0, "0"),
        ("007", 0.0, "7"),
        ("1e23", 0.0, "100000000000000000000000"),
        ("9007199254740993", 0.0, "9007199254740992"),
        // The nearest of sixteen digits would be that below, which reads as another number; of two as near, the larger.
        ("5.684341886080802e-14", 0.0, "0.00000000000005684341886080802"),
        ("1688848.67822265625", 0.0, "1688848.6782226563"),
    ] {
        create(store, &key, &[set("a", held)]).await;
        assert_eq!(carry_out(store, &key, add_float(by)).await, sum(expected), "{held} + {by}");
        assert_eq!(get(store, &key, "a").await, Some(expected.into()));
    }
    for (held, by, expected) in [
        ("0.1", 0.2_f32, "0.3"),
        ("16777216", 1.0, "16777216"),
        ("1e38", 2e38, "300000000000000000000000000000000000000"),
        // Its nearest number of 64 bits lies half-way between it and the next of 32.
        ("7.038531e-26", 0.0, "0.00000000000000000000000007038531"),
        ("3.4028235677973366e38", 0.0, "340282350000000000000000000000000000000"),
    ] {
        create(store, &key, &[set("a", held)]).await;
        let action = Action::AddFloat { by: by.into(), default: 0.0, single: true };
        assert_eq!(carry_out(store, &key, action).await, sum(expected), "{held} + {by}");
    }
}

/// What no number has as its text, and numbers beyond the type's. Infinities and NaN are numbers, but their sums are out of range.
pub async fn what_is_no_float_is_not_added_to(subject: &impl Subject) {
    let (store, key) = (subject.store(), fresh_key());
    let of = |single| move |by| Action::AddFloat { by, default: 0.0, single };
    for (held, expected) in [
        ("", Modified::NotANumber),
        (".", Modified::NotANumber),
        ("+", Modified::NotANumber),
        ("e5", Modified::NotANumber),
        (".e5", Modified::NotANumber),
        ("1e", Modified::NotANumber),
        ("1e+", Modified::NotANumber),
        ("1.2.3", Modified::NotANumber),
        ("--1", Modified::NotANumber),
        ("1-1", Modified::NotANumber),
        ("0x10", Modified::NotANumber),
        (" 5 ", Modified::NotANumber),
        ("5\n", Modified::NotANumber),
        ("5\u{0}", Modified::NotANumber),
        ("1_0", Modified::NotANumber),
        ("1,5", Modified::NotANumber),
        ("Infinity", Modified::NotANumber),
        ("NaN", Modified::NotANumber),
        ("+inf", Modified::NotANumber),
        ("1e999", Modified::NotANumber),
        ("inf", Modified::OutOfRange),
        ("-inf", Modified::OutOfRange),
        ("nan", Modified::OutOfRange),
    ] {
        create(store, &key, &[set("a", held)]).await;
        for add in [of(false), of(true)] {
            for by in [0.0, 1.0, f64::NEG_INFINITY] {
                assert_eq!(carry_out(store, &key, add(by)).await, expected, "{held:?} + {by}");
            }
        }
        assert_eq!(get(store, &key, "a").await, Some(held.into()));
    }
    create(store, &key, &[set("a", "1e39")]).await;
    assert_eq!(carry_out(store, &key, of(true)(0.0)).await, Modified::NotANumber);
    for by in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        create(store, &key, &[set("a", "1")]).await;
        assert_eq!(carry_out(store, &key, of(false)(by)).await, Modified::OutOfRange);
        assert_eq!(carry_out(store, &key, of(true)(by)).await, Modified::OutOfRange);
    }
}

/// At once: no addition is lost, and each sum is told once. The first one begins the session, which holds the field's alias as well.
pub async fn additions_at_once_are_exact(subject: &impl Subject) {
    let (store, key) = (subject.store(), &fresh_key());
    let additions = (0..64).map(|at| async move {
        let mut sums = Vec::new();
        for _ in 0..20 {
            let mode = if at % 2 == 0 { WriteMode::Create } else { WriteMode::Existing };
            let modify = Modify { mode, alias: Some("former"), ..modify(add(1)) };
            match store.modify(key, modify).await.unwrap() {
                Lookup::Found(Modified::Sum(sum)) => sums.push(sum),
                // Before the first one of the others.
                Lookup::Missing => {}
                other => panic!("{other:?}"),
            }
        }
        sums
    });
    let sums: Vec<_> = all(additions).await.concat();
    assert!(sums.len() >= 32 * 20);
    assert_eq!(sums.iter().collect::<HashSet<_>>().len(), sums.len());
    assert_eq!(get(store, key, "a").await, Some(sums.len().to_string().into()));
}

/// At once: the others find another value.
pub async fn of_exchanges_at_once_one_wins(subject: &impl Subject) {
    let (store, key) = (subject.store(), &fresh_key());
    for round in 0..10 {
        create(store, key, &[set("former", "old"), remove("a")]).await;
        let exchanges = (0..64).map(|at| async move {
            let value = Some(Bytes::from(format!("{round}: {at}")));
            let expected = Some("old".into());
            let action = Action::CompareAndSet { expected, or_missing: false, value: value.clone() };
            let modify = Modify { alias: Some("former"), ..modify(action) };
            (store.modify(key, modify).await.unwrap() == Lookup::Found(Modified::Swapped(true)))
                .then_some(value)
        });
        let winners: Vec<_> = all(exchanges).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(get(store, key, "a").await, winners[0]);
    }
}

/// At once: what is taken is gone for the others.
pub async fn a_value_is_taken_once(subject: &impl Subject) {
    let (store, key) = (subject.store(), &fresh_key());
    for _ in 0..10 {
        create(store, key, &[set("a", "1")]).await;
        let taken = all((0..64).map(|_| carry_out(store, key, replace(None)))).await;
        assert_eq!(taken.iter().filter(|taken| **taken == value(Some("1"))).count(), 1);
        assert_eq!(taken.iter().filter(|taken| **taken == value(None)).count(), 63);
    }
}

/// At once, and on a session that one of them begins.
pub async fn a_value_that_is_set_once_is_one_for_all(subject: &impl Subject) {
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

async fn carry_out(store: &dyn SessionStore, key: &SessionKey, action: Action) -> Modified {
    match store.modify(key, modify(action)).await.unwrap() {
        Lookup::Found(modified) => modified,
        other => panic!("the session is live, not {other:?}"),
    }
}

fn value(value: Option<&str>) -> Modified {
    Modified::Value(value.map(|value| Bytes::copy_from_slice(value.as_bytes())))
}

fn sum(sum: &str) -> Modified {
    Modified::Sum(Bytes::copy_from_slice(sum.as_bytes()))
}

fn changes(action: &Action, modified: &Modified) -> bool {
    match modified {
        Modified::Value(_) => matches!(action, Action::Replace(_)),
        Modified::Swapped(swapped) => *swapped,
        Modified::Sum(_) => true,
        Modified::NotANumber | Modified::OutOfRange => false,
    }
}
