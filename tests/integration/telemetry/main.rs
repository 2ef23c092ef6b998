//! Log lines, spans, events and metrics.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod clock_log;
#[cfg(feature = "metrics")]
mod dashboard;
mod memory_log;
#[cfg(feature = "metrics")]
mod metrics;
mod near_cache;
mod redis_session_log;
mod telemetry;
