//! Times in UTC, and spans of time.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A time in UTC, in whole seconds, as RFC 3339 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) SystemTime);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::try_from(self.0) {
            Ok(time) => write!(f, "{}", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Err(_) => f.pad("?"),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A span of time, in its two largest units.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl Span {
    /// Returns whole seconds. `None` for a session that never expires.
    pub(crate) fn seconds(self) -> Option<u64> {
        (self.0 != Duration::MAX).then_some(self.0.as_secs())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let Some(seconds) = self.seconds() else { return f.pad("never") };
        let at = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
        let (unit, name) = UNITS[at];
        let mut text = format!("{} {name}", seconds / unit);
        if let Some((smaller, name)) = UNITS.get(at + 1)
            && seconds % unit >= *smaller
        {
            text += &format!(" {} {name}", seconds % unit / smaller);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_time_is_in_utc_without_fractions() {
        let time = Time(UNIX_EPOCH + Duration::from_millis(1_764_500_000_999));
        assert_eq!(time.to_string(), "2025-11-30T10:53:20Z");
        let far = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 50)).unwrap();
        assert_eq!(Time(far).to_string(), "?");
    }

    #[test]
    fn a_span_has_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_661, "1 h 1 min"),
            (3_601, "1 h"),
            (86_400 * 30 + 7_200, "30 d 2 h"),
        ] {
            assert_eq!(Span(Duration::from_secs(seconds)).to_string(), text);
        }
        assert_eq!(Span(Duration::MAX).to_string(), "never");
    }
}
