//! How often the operations of a session allocate, beside the same by hand.
//!
//! ```sh
//! cargo bench -p session-runtime --bench allocations -- [FILTER]
//! ```
//!
//! For comparing; what holds our own operations to a baseline is `tests/counts`. Counts all of the program, the connection's driver too. These numbers hardly wobble; times are measured apart, in `session`, because
//! counting takes time.

#![allow(clippy::unwrap_used, reason = "a failure ends the benchmark")]

mod support;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::{Options, World};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let options = Options::read();
    let world = World::new();
    let groups = world.groups(&options);
    if options.is_smoke_test {
        return support::smoke_test(groups);
    }
    println!("| {:48} | {:>11} | {:>9} |", "operation", "allocations", "bytes");
    println!("| {:-<48} | {:->11} | {:->9} |", "", ":", ":");
    for group in groups {
        for (at, mut case) in group.cases.into_iter().enumerate() {
            let name = if at == 0 { group.title.clone() } else { format!("  beside: {}", case.name) };
            // The first repetitions grow buffers that stay.
            case.run(TIMES, allocated);
            let [allocations, bytes] = case.run(TIMES, allocated);
            println!("| {name:48} | {allocations:>11.2} | {bytes:>9.1} |");
        }
    }
}

const TIMES: u32 = 500;

/// How often, and how many bytes. A buffer that grows counts again, by as much as it grows.
fn allocated() -> [u64; 2] {
    let stats = ALLOCATOR.stats();
    [(stats.allocations + stats.reallocations) as u64, stats.bytes_allocated as u64]
}
