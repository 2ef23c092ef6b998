//! The metrics, for the recorder of the crate `metrics` that the program has installed.

#[cfg(feature = "redis")]
use std::fmt::Display;
use std::time::Duration;

use metrics::Unit;

use super::{LifecycleEvent, OperationName};

const OPERATIONS: &str = "session_operations_total";
const DURATION: &str = "session_operation_duration_seconds";
const CREATED: &str = "session_created_total";
const ROTATED: &str = "session_rotated_total";
const DESTROYED: &str = "session_destroyed_total";
const EXPIRED: &str = "session_expired_total";
const FORGED: &str = "session_forged_total";
const CONNECTIONS: &str = "session_store_connections";
const NEAR_HITS: &str = "session_near_cache_hits_total";
const NEAR_MISSES: &str = "session_near_cache_misses_total";
const NEAR_VOIDED: &str = "session_near_cache_voided_total";
const NEAR_EVICTED: &str = "session_near_cache_evicted_total";
const NEAR_BYTES: &str = "session_near_cache_bytes";
const NEAR_LEASE_AGE: &str = "session_near_cache_lease_age_seconds";
const FAILING_CONNECTIONS: &str = "session_store_connections_failing";

pub(super) fn describe() {
    metrics::describe_counter!(OPERATIONS, Unit::Count, "Session operations, by outcome.");
    metrics::describe_histogram!(DURATION, Unit::Seconds, "Duration of session operations.");
    metrics::describe_counter!(CREATED, Unit::Count, "Sessions that were created.");
    metrics::describe_counter!(ROTATED, Unit::Count, "Sessions that got a new id.");
    metrics::describe_counter!(DESTROYED, Unit::Count, "Sessions that were destroyed.");
    metrics::describe_counter!(
        EXPIRED,
        Unit::Count,
        "Requests with the id of a session that no longer exists."
    );
    metrics::describe_counter!(FORGED, Unit::Count, "Session cookies without a valid signature.");
    metrics::describe_gauge!(CONNECTIONS, Unit::Count, "Open connections to a session store.");
    metrics::describe_gauge!(
        FAILING_CONNECTIONS,
        Unit::Count,
        "Connections to a session store that failed and are being retried."
    );
    describe_near_cache();
}

fn describe_near_cache() {
    metrics::describe_counter!(NEAR_HITS, Unit::Count, "Reads that a near cache answered.");
    metrics::describe_counter!(
        NEAR_MISSES,
        Unit::Count,
        "Reads of cached fields that the store answered."
    );
    metrics::describe_counter!(
        NEAR_VOIDED,
        Unit::Count,
        "Sessions that left a near cache because of a change."
    );
    metrics::describe_counter!(
        NEAR_EVICTED,
        Unit::Count,
        "Sessions that left a near cache for lack of room."
    );
    metrics::describe_gauge!(NEAR_BYTES, Unit::Bytes, "Size of the near caches.");
    metrics::describe_histogram!(
        NEAR_LEASE_AGE,
        Unit::Seconds,
        "Age of the latest sign of life when a read asked for another."
    );
}

pub(super) fn record_operation(name: OperationName, outcome: &'static str, duration: Duration) {
    metrics::counter!(OPERATIONS, "operation" => name.as_str(), "outcome" => outcome).increment(1);
    metrics::histogram!(DURATION, "operation" => name.as_str()).record(duration);
}

pub(super) fn count_event(event: LifecycleEvent, count: u64) {
    let name = match event {
        LifecycleEvent::Created => CREATED,
        LifecycleEvent::Rotated => ROTATED,
        LifecycleEvent::Destroyed => DESTROYED,
        LifecycleEvent::Expired => EXPIRED,
        LifecycleEvent::Forged => FORGED,
    };
    metrics::counter!(name).increment(count);
}

#[cfg(feature = "redis")]
pub(super) fn connections(address: impl Display) -> metrics::Gauge {
    metrics::gauge!(CONNECTIONS, "address" => address.to_string())
}

#[cfg(feature = "redis")]
pub(super) fn failing_connections(address: impl Display) -> metrics::Gauge {
    metrics::gauge!(FAILING_CONNECTIONS, "address" => address.to_string())
}

#[cfg(feature = "redis")]
pub(super) fn count_near_read(is_hit: bool) {
    metrics::counter!(if is_hit { NEAR_HITS } else { NEAR_MISSES }).increment(1);
}

#[cfg(feature = "redis")]
pub(super) fn record_near_changes(bytes: i64, voided: u64, evicted: u64) {
    for (name, count) in [(NEAR_VOIDED, voided), (NEAR_EVICTED, evicted)] {
        if count > 0 {
            metrics::counter!(name).increment(count);
        }
    }
    if bytes != 0 {
        metrics::gauge!(NEAR_BYTES).increment(bytes as f64);
    }
}

#[cfg(feature = "redis")]
pub(super) fn record_lease_age(age: Duration) {
    metrics::histogram!(NEAR_LEASE_AGE).record(age);
}
