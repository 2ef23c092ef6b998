//! Durations and points in time as decimal text of seconds, like Python's `total_seconds()` and
//! `time.time()`.

use std::iter;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::FieldValue;
use crate::error::InvalidValue;

impl FieldValue for Duration {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        read(&stored).ok_or_else(|| InvalidValue::new("not the decimal text of seconds"))
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(write(*self).into())
    }
}

impl FieldValue for SystemTime {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        let time = match stored.strip_prefix(b"-") {
            Some(before) => read(before).and_then(|before| UNIX_EPOCH.checked_sub(before)),
            None => read(&stored).and_then(|after| UNIX_EPOCH.checked_add(after)),
        };
        time.ok_or_else(|| InvalidValue::new("not the decimal text of seconds since 1970"))
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(match self.duration_since(UNIX_EPOCH) {
            Ok(after) => write(after).into(),
            Err(error) => format!("-{}", write(error.duration())).into(),
        })
    }
}

/// Reads digits with an optional fraction. Digits below a nanosecond, which Python's floats may
/// have, are cut off.
fn read(stored: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(stored).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number =
        |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits = fraction.bytes().chain(iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    Some(Duration::new(whole.parse().ok()?, nanos))
}

fn write(time: Duration) -> String {
    let text = format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
