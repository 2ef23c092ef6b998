//! Pauses between attempts.

use std::time::Duration;

/// Between half and the whole of it, so that many programs do not come back to a server all at
/// once.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
