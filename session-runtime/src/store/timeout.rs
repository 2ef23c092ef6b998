//! Limits of an operation's deadline.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The allowed deadlines. Below 10 milliseconds, even a healthy server sometimes answers too late,
/// and the connection would become suspect.
pub(crate) const ALLOWED: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(60 * 60);

/// The allowed deadlines, as shown in error messages.
pub(crate) const ALLOWED_TEXT: &str = "10 milliseconds to 1 hour";
