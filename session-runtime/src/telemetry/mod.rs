//! What operations come to, what becomes of sessions, and what is connected: told to `tracing` and, with the feature `metrics`, to the crate of
//! that name. Nothing else tells of them; the guide's page on observability documents the names, which stay.

mod call;
#[cfg(feature = "redis")]
mod counted;
mod moment;
#[cfg(feature = "metrics")]
mod recorder;
mod watch;

pub(crate) use call::Call;
#[cfg(feature = "redis")]
pub(crate) use counted::Counted;
pub(crate) use moment::{Moment, News, Untold};
pub(crate) use watch::Watch;

/// Tells a recorder of metrics, if there is one already, what each of them is.
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    recorder::describe();
}
