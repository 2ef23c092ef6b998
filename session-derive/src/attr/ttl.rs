//! Parses the expiry of a field, such as `"5m"`.

use std::time::Duration;

/// The units, in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A hundred years. Stores count milliseconds since 1970 in less than 64 bits.
const MAX: Duration = Duration::from_secs(36_500 * 86_400);

/// Parses a whole number and a unit, without spaces.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("expected a whole number and a unit, such as `\"5m\"`".to_owned());
    }
    let unit = unit_millis(unit)?;
    let time = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match time.map(Duration::from_millis) {
        Some(Duration::ZERO) => Err("the time must be longer than zero".to_owned()),
        Some(time) if time <= MAX => Ok(time),
        _ => Err("the longest possible time is `36500d`".to_owned()),
    }
}

fn unit_millis(unit: &str) -> Result<u64, String> {
    let found = UNITS.iter().find(|(name, _)| *name == unit);
    found.map(|(_, millis)| *millis).ok_or_else(|| match unit {
        "" => "the unit is missing: `ms`, `s`, `m`, `h` or `d`".to_owned(),
        unit => format!("unknown unit `{unit}`, the units are `ms`, `s`, `m`, `h`, `d`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        for (text, seconds) in [("1s", 1), ("5m", 300), ("24h", 86_400), ("030d", 2_592_000)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("36500d"), Ok(MAX));
    }

    #[test]
    fn refuses_invalid_times() {
        for text in [
            "",
            "m",
            "5",
            "5 m",
            " 5m",
            "5m ",
            "-5m",
            "+5m",
            "1.5h",
            "5M",
            "5min",
            "1h30m",
            "0s",
            "0ms",
            "00d",
            "36501d",
            "36500000d",
            "18446744073709551615d",
            "99999999999999999999999s",
            "٣s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
