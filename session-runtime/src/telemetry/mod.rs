//! Events and spans for `tracing`, and with the feature `metrics` also metrics for the crate
//! `metrics`.
//!
//! Telemetry covers the outcomes of operations, the lives of sessions, and the connections to the
//! store. Nothing else reports these. The guide's page on observability documents the names, which
//! are stable.

mod event;
mod event_queue;
#[cfg(feature = "redis")]
mod gauge;
#[cfg(feature = "redis")]
mod near_cache;
mod operation_name;
#[cfg(feature = "metrics")]
mod recorder;
mod span;

pub(crate) use event::LifecycleEvent;
pub(crate) use event_queue::{EventFlush, EventQueue};
#[cfg(feature = "redis")]
pub(crate) use gauge::GaugeGuard;
#[cfg(feature = "redis")]
pub(crate) use near_cache::{NearCacheChanges, record_lease_age, record_near_read};
pub(crate) use operation_name::OperationName;
pub(crate) use span::{LastId, OperationSpan, record_origin};

/// Describes the metrics to the program's recorder, if a recorder is installed.
pub(crate) fn describe_metrics() {
    #[cfg(feature = "metrics")]
    recorder::describe();
}
