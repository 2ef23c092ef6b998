//! Pauses between attempts.

use std::time::Duration;

/// Returns between half of the pause and the whole pause, so that many programs do not come back to
/// a server at the same moment.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
