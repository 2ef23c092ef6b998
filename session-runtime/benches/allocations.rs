//! How often the operations of a session allocate, beside the same by hand.
//!
//! ```sh
//! cargo bench -p session-runtime --bench allocations -- [FILTER]
//! ```
//!
//! Counts all of the program, the connection's driver too. These numbers hardly wobble; times are measured apart, in `session`, because
//! counting takes time.

#![allow(clippy::unwrap_used, reason = "a failure ends the benchmark")]

mod support;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::{Case, Gauge, Options, World};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let options = Options::read();
    let world = World::new();
    let groups = world.groups(&options);
    if options.is_smoke_test {
        return support::smoke_test(groups);
    }
    println!("| {:48} | {:>11} | {:>13} | {:>9} |", "operation", "allocations", "reallocations", "bytes");
    println!("| {:-<48} | {:->11} | {:->13} | {:->9} |", "", ":", ":", ":");
    for group in groups {
        for (at, mut case) in group.cases.into_iter().enumerate() {
            let name = if at == 0 { group.title.clone() } else { format!("  beside: {}", case.name) };
            let [allocations, reallocations, bytes] =
                [allocations, reallocations, bytes].map(|gauge| per_operation(&mut case, gauge));
            println!("| {name:48} | {allocations:>11.2} | {reallocations:>13.2} | {bytes:>9.1} |");
        }
    }
}

fn per_operation(case: &mut Case, gauge: Gauge) -> f64 {
    const TIMES: u32 = 500;
    // The first repetitions grow buffers that stay.
    case.run(TIMES, gauge);
    case.run(TIMES, gauge) as f64 / f64::from(TIMES)
}

fn allocations() -> u64 {
    ALLOCATOR.stats().allocations as u64
}

fn reallocations() -> u64 {
    ALLOCATOR.stats().reallocations as u64
}

/// A reallocation counts by as much as it grows.
fn bytes() -> u64 {
    ALLOCATOR.stats().bytes_allocated as u64
}
