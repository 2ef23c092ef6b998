//! Times and periods.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use maud::{Markup, html};

/// Returns a time in UTC, to the second.
pub(super) fn time(at: SystemTime) -> Markup {
    let seconds = match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()),
        Err(before) => i64::try_from(before.duration().as_secs()).map(|seconds| -seconds),
    };
    match seconds.ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(at) => {
            let text = at.to_string();
            html! { time datetime=(text) { (text.replace('T', " ").replace('Z', "\u{a0}UTC")) } }
        }
        None => html! { span.faint { "beyond the calendar" } },
    }
}

/// Returns the time since then, in words.
pub(super) fn ago(at: SystemTime, now: SystemTime) -> String {
    match now.duration_since(at) {
        Ok(age) if age < Duration::from_secs(1) => "just now".to_owned(),
        Ok(age) => format!("{} ago", period(age)),
        Err(ahead) if ahead.duration() < Duration::from_secs(1) => "just now".to_owned(),
        Err(ahead) => format!("in {}", period(ahead.duration())),
    }
}

/// Returns a period with its two largest units.
pub(super) fn period(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let Some(first) = units.iter().position(|(_, unit)| seconds >= *unit) else {
        return format!("{} ms", length.as_millis());
    };
    let part = |at: usize, rest: u64| units.get(at).map(|(name, unit)| (rest / unit, *name, *unit));
    let Some((count, name, unit)) = part(first, seconds) else { return String::new() };
    match part(first + 1, seconds % unit) {
        Some((1.., ..)) if count >= 10 && unit > 60 => format!("{count} {name}"),
        Some((more @ 1.., smaller, _)) => format!("{count} {name} {more} {smaller}"),
        _ => format!("{count} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_and_to_the_second() {
        for (seconds, expected) in [
            (1_764_503_174, "2025-11-30 11:46:14\u{a0}UTC"),
            (0, "1970-01-01 00:00:00\u{a0}UTC"),
            (u64::MAX >> 1, "beyond the calendar"),
        ] {
            let at = UNIX_EPOCH + Duration::from_secs(seconds);
            assert!(time(at).into_string().contains(expected), "{expected}");
        }
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert!(time(before).into_string().contains("1969-12-31 23:59:59\u{a0}UTC"));
    }

    #[test]
    fn periods_have_their_largest_units() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_999, "1 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (3_600_000 * 23 + 1, "23 h"),
            (3_600_000 * 5 + 60_000, "5 h 1 min"),
            (86_400_000 * 29 + 3_600_000, "29 d"),
            (86_400_000 * 2 + 3_600_000, "2 d 1 h"),
        ] {
            assert_eq!(period(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn an_age_may_be_ahead_of_the_clock() {
        let now = UNIX_EPOCH + Duration::from_secs(100);
        assert_eq!(ago(now, now), "just now");
        assert_eq!(ago(now + Duration::from_millis(1), now), "just now");
        assert_eq!(ago(now - Duration::from_secs(2), now), "2 s ago");
        assert_eq!(ago(now + Duration::from_secs(2), now), "in 2 s");
    }
}
