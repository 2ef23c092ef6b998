//! No operation allocates more often than the baseline says.
//!
//! Counts all of the process, the connection's driver too. `tests/counts/run --rewrite` writes the baseline.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::alloc::System;
use std::env;

use session_counts::{ALL, Baseline, Gauge, Repeat, start};
use session_tests::server::RedisServer;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TIMES: u32 = 200;

/// One test: what others do at the same time would count.
#[test]
fn no_operation_allocates_more_often_than_the_baseline_says() {
    let server = RedisServer::start();
    let url = server.url();
    let per_operation = |name: &str| allocations(start(name, Some(&url)));
    let counts = ALL.map(|counted| (counted.name, counted.more_than_without(per_operation)));
    let baseline = Baseline::read();
    if env::var_os("COUNTS_REWRITE").is_some() {
        return baseline.rewrite(Gauge::Allocations, &counts);
    }
    baseline.hold(Gauge::Allocations, &counts).unwrap();
}

fn allocations(mut repeat: Repeat) -> f64 {
    // The first ones grow buffers that stay.
    repeat(TIMES);
    let before = allocated();
    repeat(TIMES);
    (allocated() - before) as f64 / f64::from(TIMES)
}

fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}
