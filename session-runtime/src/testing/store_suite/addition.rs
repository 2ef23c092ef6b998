//! Additions to numbers.

use std::collections::HashSet;

use super::support::*;

/// Sums up to the limits are stored, and sums beyond the limits are refused.
pub async fn integers_are_added_within_their_limits(subject: &impl StoreUnderTest) {
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
        assert_eq!(
            get(store, &key, "a").await,
            Some(expected.unwrap_or(held).into()),
            "{held} + {by}"
        );
    }
}

/// Only canonical text counts as an integer. A number beyond the limits is no integer of that type.
pub async fn a_value_that_is_no_integer_is_not_incremented(subject: &impl StoreUnderTest) {
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
    for (held, min, max) in
        [("300", 0, 255), ("-1", 0, 255), ("128", -128, 127), ("-129", -128, 127)]
    {
        create(store, &key, &[set("a", held)]).await;
        let action =
            Action::AddInteger { by: -held.parse::<i128>().unwrap(), default: 0, min, max };
        assert_eq!(carry_out(store, &key, action).await, Modified::NotANumber, "{held}");
    }
}

/// Integers, and floats of 64 and of 32 bits. A refused sum leaves nothing behind.
pub async fn a_missing_field_is_incremented_from_its_default(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    for (by, default, expected) in [
        (1, 100, Some("101")),
        (-1, 0, Some("-1")),
        (-i128::from(u64::MAX), i64::MAX.into(), Some("-9223372036854775808")),
        (1, i64::MAX.into(), None),
    ] {
        let action = Action::AddInteger { by, default, min: i64::MIN.into(), max: i64::MAX.into() };
        assert_eq!(
            carry_out(store, &key, action).await,
            expected.map_or(Modified::OutOfRange, sum)
        );
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
        assert_eq!(
            carry_out(store, &key, action).await,
            expected.map_or(Modified::OutOfRange, sum)
        );
        assert_eq!(carry_out(store, &key, replace(None)).await, value(expected));
    }
}

/// Any text that parses as a number is accepted. The sum has the same text as a number that is set.
pub async fn floats_are_added_as_ieee_754_does(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let (smallest, padded) = (longest_float(), format!("{}1", "0".repeat(1_076)));
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
        // With sixteen digits, the nearest text would be lower, and would parse as another number.
        // If two texts are equally near, the larger counts.
        ("5.684341886080802e-14", 0.0, "0.00000000000005684341886080802"),
        ("1688848.67822265625", 0.0, "1688848.6782226563"),
        (&smallest, 1.0, "1"),
        (&padded, 1.0, "2"),
    ] {
        create(store, &key, &[set("a", held)]).await;
        assert_eq!(carry_out(store, &key, add_float(by)).await, sum(expected), "{held} + {by}");
        assert_eq!(get(store, &key, "a").await, Some(expected.into()));
    }
    for (held, by, expected) in [
        ("0.1", 0.2_f32, "0.3"),
        ("16777216", 1.0, "16777216"),
        ("1e38", 2e38, "300000000000000000000000000000000000000"),
        // The nearest 64-bit number lies halfway between this number and the next 32-bit number.
        ("7.038531e-26", 0.0, "0.00000000000000000000000007038531"),
        ("3.4028235677973366e38", 0.0, "340282350000000000000000000000000000000"),
        (&smallest, 1.0, "1"),
    ] {
        create(store, &key, &[set("a", held)]).await;
        let action = Action::AddFloat { by: by.into(), default: 0.0, single: true };
        assert_eq!(carry_out(store, &key, action).await, sum(expected), "{held} + {by}");
    }
}

/// The longest exact text of any 64-bit number.
fn longest_float() -> String {
    format!("{:.1074}", -f64::from_bits(1))
}

/// Text that is no number, text that is longer than any number needs, and numbers beyond the type's
/// range. Infinities and NaN are numbers, but their sums are out of range.
pub async fn a_value_that_is_no_float_is_not_incremented(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let of = |single| move |by| Action::AddFloat { by, default: 0.0, single };
    let too_long = ["0", "1", "-", ".", "e", " "].map(|letter| longest_float() + letter);
    // Halfway between two 32-bit numbers, except for the last digit.
    let much_too_long = format!("16777217.{}1", "0".repeat(100_000));
    let too_long =
        too_long.iter().chain([&much_too_long]).map(|text| (text.as_str(), Modified::NotANumber));
    for (held, expected) in too_long.chain([
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
    ]) {
        create(store, &key, &[set("a", held)]).await;
        for add in [of(false), of(true)] {
            for by in [0.0, 1.0, f64::NEG_INFINITY] {
                assert_eq!(carry_out(store, &key, add(by)).await, expected, "{held:.40?} + {by}");
            }
        }
        assert_eq!(get(store, &key, "a").await, Some(Bytes::copy_from_slice(held.as_bytes())));
    }
    create(store, &key, &[set("a", "1e39")]).await;
    assert_eq!(carry_out(store, &key, of(true)(0.0)).await, Modified::NotANumber);
    for by in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        create(store, &key, &[set("a", "1")]).await;
        assert_eq!(carry_out(store, &key, of(false)(by)).await, Modified::OutOfRange);
        assert_eq!(carry_out(store, &key, of(true)(by)).await, Modified::OutOfRange);
    }
}

/// Concurrent additions are all counted, and each sum is returned once. The first addition creates
/// the session, and the field has an alias.
pub async fn additions_at_once_are_exact(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), &fresh_key());
    let additions = (0..64).map(|at| async move {
        let mut sums = Vec::new();
        for _ in 0..20 {
            let mode = if at % 2 == 0 { WriteMode::Create } else { WriteMode::Existing };
            let modify = Modify { mode, alias: Some("former"), ..modify(add(1)) };
            match store.modify(key, modify).await.unwrap() {
                Lookup::Found(Modified::Sum(sum)) => sums.push(sum),
                // Comes before the first addition that creates the session.
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
