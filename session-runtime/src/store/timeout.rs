//! The bounds of an operation's deadline.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The deadlines that can be configured. Below 10 milliseconds a healthy server answers too late
/// now and then, which casts doubt on its connection.
pub(crate) const ALLOWED: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(60 * 60);

/// The allowed deadlines, as messages name them.
pub(crate) const ALLOWED_TEXT: &str = "10 milliseconds to 1 hour";
