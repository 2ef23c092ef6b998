//! Events and spans for `tracing`, and metrics for the crate of that name with the feature
//! `metrics`: the outcomes of operations, the life of sessions, the connections to their store.
//!
//! Nothing else reports these. The guide's page on observability documents the names, which stay.

mod event;
mod event_queue;
#[cfg(feature = "redis")]
mod gauge;
mod operation_name;
#[cfg(feature = "metrics")]
mod recorder;
mod span;

pub(crate) use event::LifecycleEvent;
pub(crate) use event_queue::{EventFlush, EventQueue};
#[cfg(feature = "redis")]
pub(crate) use gauge::GaugeGuard;
pub(crate) use operation_name::OperationName;
pub(crate) use span::{LastId, OperationSpan};

/// Describes the metrics to the program's recorder, if it has installed one.
pub(crate) fn describe_metrics() {
    #[cfg(feature = "metrics")]
    recorder::describe();
}
