//! Durations and points in time, of the standard library and of other crates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use proptest::prelude::*;

use super::{pinned, reads, refuses};
use crate::value::{FieldSpec, FieldValue};

#[test]
fn durations_are_pinned() {
    pinned(Duration::ZERO, "0");
    pinned(Duration::from_secs(90), "90");
    pinned(Duration::from_secs(100), "100");
    pinned(Duration::from_millis(1500), "1.5");
    pinned(Duration::from_nanos(1), "0.000000001");
    pinned(Duration::MAX, "18446744073709551615.999999999");
    assert_eq!(FieldSpec::<Duration>::value("f").read(None).unwrap(), Duration::ZERO);
}

/// The text of `str(timedelta(…).total_seconds())` and of differences of `time.time()`.
#[test]
fn durations_of_python_are_read() {
    reads("90.0", Duration::from_secs(90));
    reads("0.1", Duration::from_millis(100));
    reads("0.30000000000000004", Duration::from_millis(300));
    reads("1.0000000009", Duration::from_secs(1));
}

#[test]
fn invalid_durations_are_refused() {
    const NO_DURATIONS: [&str; 15] = [
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "5e-05",
        "1,5",
        "1.5s",
        " 1",
        "1.2.3",
        "1.-5",
        "inf",
        "18446744073709551616",
    ];
    refuses::<Duration>(&NO_DURATIONS);
}

#[test]
fn points_in_time_are_pinned() {
    pinned(UNIX_EPOCH, "0");
    pinned(UNIX_EPOCH + Duration::from_millis(1_795_449_554_250), "1795449554.25");
    pinned(UNIX_EPOCH - Duration::from_millis(1500), "-1.5");
    reads("1795449554.2500000", UNIX_EPOCH + Duration::from_millis(1_795_449_554_250));
    refuses::<SystemTime>(&["", "-", "--1", "+1", "2026-11-23", "18446744073709551615", "now"]);
}

proptest! {
    #[test]
    fn a_duration_comes_back(time: Duration) {
        prop_assert_eq!(Duration::decode(time.encode().unwrap()).unwrap(), time);
    }

    #[test]
    fn a_point_in_time_comes_back(seconds: i32, nanos in 0..1_000_000_000_u32) {
        let after = Duration::new(seconds.unsigned_abs().into(), nanos);
        let time = if seconds < 0 { UNIX_EPOCH - after } else { UNIX_EPOCH + after };
        prop_assert_eq!(SystemTime::decode(time.encode().unwrap()).unwrap(), time);
    }

    #[test]
    fn anything_like_a_time_is_read_or_refused(stored in "[-+.:TZWe0-9 ]{0,35}") {
        never_panics(&Bytes::from(stored));
    }
}

fn never_panics(stored: &Bytes) {
    let _ = (Duration::decode(stored.clone()), SystemTime::decode(stored.clone()));
    #[cfg(feature = "chrono")]
    let _ = chrono::DateTime::<chrono::Utc>::decode(stored.clone());
    #[cfg(feature = "chrono")]
    let _ = chrono::NaiveDate::decode(stored.clone());
    #[cfg(feature = "jiff")]
    let _ = (jiff::Timestamp::decode(stored.clone()), jiff::civil::Date::decode(stored.clone()));
    #[cfg(feature = "time")]
    let _ = (time::OffsetDateTime::decode(stored.clone()), time::Date::decode(stored.clone()));
}

/// Texts that no crate here accepts as a date.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
const NO_DATES: [&str; 11] = [
    "",
    "2026-11-31",
    "2026-13-01",
    "2026-11-3",
    "20261123",
    "2026-W48-1",
    " 2026-11-23",
    "2026-11-23 ",
    "2026-11-23T00:00:00",
    "23.11.2026",
    "None",
];

/// Texts that are not a point in time, including times without an offset.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
const NO_TIMES: [&str; 6] =
    ["", "2026-11-23", "2026-11-23T15:00:00", "2026-11-23T25:00:00Z", "1795449554", "None"];

/// The seconds of the years 0 to 9999, the range of RFC 3339.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
const SECONDS: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;

#[cfg(feature = "chrono")]
mod of_chrono {
    use chrono::{DateTime, Days, NaiveDate, Utc};

    use super::*;

    fn at(seconds: i64, nanos: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, nanos).unwrap()
    }

    #[test]
    fn they_are_pinned() {
        pinned(at(1_795_446_000, 0), "2026-11-23T15:00:00Z");
        pinned(at(1_795_446_000, 500_000_000), "2026-11-23T15:00:00.500Z");
        pinned(at(1_795_446_000, 1), "2026-11-23T15:00:00.000000001Z");
        reads("2026-11-23T16:00:00+01:00", at(1_795_446_000, 0));
        refuses::<DateTime<Utc>>(&NO_TIMES);
        pinned(NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(), "2026-11-23");
        refuses::<NaiveDate>(&NO_DATES);
    }

    #[test]
    fn years_that_the_text_cannot_have_are_refused() {
        assert!(at(SECONDS.end, 0).encode().is_err() && at(SECONDS.start - 1, 0).encode().is_err());
    }

    proptest! {
        #[test]
        fn a_time_comes_back(seconds in SECONDS, nanos in 0..1_000_000_000_u32) {
            let time = at(seconds, nanos);
            prop_assert_eq!(DateTime::decode(time.encode().unwrap()).unwrap(), time);
        }

        #[test]
        fn a_date_comes_back(days in 0..190_000_000_u64) {
            let date = NaiveDate::MIN + Days::new(days);
            prop_assert_eq!(NaiveDate::decode(date.encode().unwrap()).unwrap(), date);
        }
    }
}

#[cfg(feature = "jiff")]
mod of_jiff {
    use jiff::Timestamp;
    use jiff::civil::{Date, date};

    use super::*;

    fn at(seconds: i64, nanos: i32) -> Timestamp {
        Timestamp::new(seconds, nanos).unwrap()
    }

    #[test]
    fn they_are_pinned() {
        pinned(at(1_795_446_000, 0), "2026-11-23T15:00:00Z");
        pinned(at(1_795_446_000, 500_000_000), "2026-11-23T15:00:00.5Z");
        reads("2026-11-23T16:00:00+01:00", at(1_795_446_000, 0));
        refuses::<Timestamp>(&NO_TIMES);
        pinned(date(2026, 11, 23), "2026-11-23");
        pinned(Date::MIN, "-009999-01-01");
        refuses::<Date>(&NO_DATES);
    }

    proptest! {
        #[test]
        fn a_time_comes_back(
            seconds in Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second(),
            nanos in 0..1_000_000_000_i32,
        ) {
            let time = at(seconds, nanos);
            prop_assert_eq!(Timestamp::decode(time.encode().unwrap()).unwrap(), time);
        }

        #[test]
        fn a_date_comes_back(year in -9999..=9999_i16, month in 1..=12_i8, day in 1..=28_i8) {
            let date = date(year, month, day);
            prop_assert_eq!(Date::decode(date.encode().unwrap()).unwrap(), date);
        }
    }
}

#[cfg(feature = "time")]
mod of_time {
    use time::{Date, Month, OffsetDateTime, UtcOffset};

    use super::*;

    fn at(seconds: i64, nanos: u32) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_nanosecond(nanos).unwrap()
    }

    #[test]
    fn they_are_pinned() {
        pinned(at(1_795_446_000, 0), "2026-11-23T15:00:00Z");
        let berlin = UtcOffset::from_hms(1, 0, 0).unwrap();
        let time = at(1_795_446_000, 500_000_000).to_offset(berlin);
        pinned(time, "2026-11-23T16:00:00.5+01:00");
        assert_eq!(OffsetDateTime::decode(time.encode().unwrap()).unwrap().offset(), berlin);
        refuses::<OffsetDateTime>(&NO_TIMES);
        pinned(Date::from_calendar_date(2026, Month::November, 23).unwrap(), "2026-11-23");
        refuses::<Date>(&NO_DATES);
    }

    #[test]
    fn values_without_a_text_are_refused() {
        let before = at(SECONDS.start, 0) - Duration::from_secs(1);
        assert!(before.encode().is_err() && before.date().encode().is_err());
        let odd = UtcOffset::from_hms(1, 0, 1).unwrap();
        assert!(at(1_795_446_000, 0).to_offset(odd).encode().is_err());
    }

    proptest! {
        #[test]
        fn a_time_comes_back(
            seconds in SECONDS.start + 86_400..SECONDS.end - 86_400,
            nanos in 0..1_000_000_000_u32,
            minutes in -1439..=1439_i16,
        ) {
            let offset = UtcOffset::from_whole_seconds(i32::from(minutes) * 60).unwrap();
            let time = at(seconds, nanos).to_offset(offset);
            let back = OffsetDateTime::decode(time.encode().unwrap()).unwrap();
            prop_assert_eq!((back, back.offset()), (time, offset));
        }

        #[test]
        fn a_date_comes_back(seconds in SECONDS) {
            let date = at(seconds, 0).date();
            prop_assert_eq!(Date::decode(date.encode().unwrap()).unwrap(), date);
        }
    }
}
