//! Compares the costs of operations with the committed numbers in this file.
//!
//! `tests/perf/run` runs this with a fixed compiler, because the numbers depend on the compiler. An
//! operation fails with more than 3 % more instructions, or with more allocations. If a change
//! makes an operation cheaper, lower the numbers.
//!
//! Encrypted values are counted on a processor with AVX2, which the cipher uses.
//!
//! Instructions of operations on Redis are not compared. The connection's driver wakes up more or
//! less often, depending on timing. In five runs, a `get` took 13,800 to 14,400.

#![allow(missing_docs, reason = "the macros make public items")]

use std::env;

use gungraun::{
    Callgrind, Dhat, DhatMetric, EventKind, LibraryBenchmarkConfig, Tool, library_benchmark,
    library_benchmark_group, main,
};
use session_perf::{
    Around, Cookies, Operation, Repeat, ignored_on_actix, ignored_on_axum, verify_cookie,
};

#[library_benchmark]
#[bench::verify(args = (), setup = verification, config = costs([14_818, 3]))]
fn cookie(operation: Repeat) -> Repeat {
    thousand_times(operation)
}

#[library_benchmark(setup = on_memory)]
#[bench::first_get(args = (Operation::FirstGet), config = costs([18_066, 4]))]
#[bench::login(args = (Operation::Login), config = costs([40_400, 22]))]
#[bench::login_with_index(args = (Operation::LoginWithIndex), config = costs([49_420, 34]))]
#[bench::get(args = (Operation::Get), config = costs([2_985, 1]))]
#[bench::set(args = (Operation::Set), config = costs([4_640, 5]))]
#[bench::incr(args = (Operation::Incr), config = costs([6_230, 7]))]
#[bench::read_five(args = (Operation::ReadFive), config = costs([5_740, 5]))]
fn memory(operation: Repeat) -> Repeat {
    thousand_times(operation)
}

#[library_benchmark(setup = on_memory)]
#[bench::get_32(args = (Operation::GetEncrypted(32)), config = costs([12_198, 4]))]
#[bench::set_32(args = (Operation::SetEncrypted(32)), config = costs([14_537, 9]))]
#[bench::get_4096(args = (Operation::GetEncrypted(4_096)), config = costs([45_643, 4]))]
#[bench::set_4096(args = (Operation::SetEncrypted(4_096)), config = costs([48_199, 9]))]
fn encrypted(operation: Repeat) -> Repeat {
    thousand_times(operation)
}

#[library_benchmark(setup = on_redis)]
#[bench::first_get(args = (Operation::FirstGet), config = allocations(14))]
#[bench::login(args = (Operation::Login), config = allocations(21))]
#[bench::login_with_index(args = (Operation::LoginWithIndex), config = allocations(36))]
#[bench::get(args = (Operation::Get), config = allocations(7))]
#[bench::set(args = (Operation::Set), config = allocations(8))]
#[bench::incr(args = (Operation::Incr), config = allocations(7))]
#[bench::read_five(args = (Operation::ReadFive), config = allocations(12))]
fn redis(operation: Repeat) -> Repeat {
    thousand_times(operation)
}

#[library_benchmark(setup = near_redis)]
#[bench::first_get(args = (Operation::FirstGet), config = costs_near([17_430, 3]))]
#[bench::get(args = (Operation::Get), config = costs_near([2_250, 0]))]
#[bench::read_five(args = (Operation::ReadFive), config = costs_near([6_350, 5]))]
fn near_cache(operation: Repeat) -> Repeat {
    thousand_times(operation)
}

#[library_benchmark(setup = on_axum)]
#[bench::bare(args = (Around::Nothing, Cookies::Session), config = costs(AXUM))]
#[bench::sessions(
    args = (Around::Sessions, Cookies::Session),
    config = costs_beside(AXUM, [2_240, 3])
)]
#[bench::bare_no_cookie(args = (Around::Nothing, Cookies::Other), config = costs(AXUM_NO_COOKIE))]
#[bench::sessions_no_cookie(
    args = (Around::Sessions, Cookies::Other),
    config = costs_beside(AXUM_NO_COOKIE, [2_230, 3])
)]
fn ignored_on_axum_router(operation: Repeat) -> Repeat {
    thousand_times(operation)
}

#[library_benchmark(setup = on_actix)]
#[bench::bare(args = (Around::Nothing, Cookies::Session), config = costs(ACTIX))]
#[bench::sessions(
    args = (Around::Sessions, Cookies::Session),
    config = costs_beside(ACTIX, [1_835, 2])
)]
#[bench::bare_no_cookie(args = (Around::Nothing, Cookies::Other), config = costs(ACTIX_NO_COOKIE))]
#[bench::sessions_no_cookie(
    args = (Around::Sessions, Cookies::Other),
    config = costs_beside(ACTIX_NO_COOKIE, [1_826, 2])
)]
fn ignored_on_actix_app(operation: Repeat) -> Repeat {
    thousand_times(operation)
}

library_benchmark_group!(
    name = costs_of,
    benchmarks = [
        cookie,
        memory,
        encrypted,
        redis,
        near_cache,
        ignored_on_axum_router,
        ignored_on_actix_app
    ]
);
main!(library_benchmark_groups = costs_of);

/// Instructions and allocations of an operation.
type Costs = [u64; 2];

// A request without the session's layer. The costs of the layer are relative to these.
const AXUM: Costs = [8_470, 20];
const AXUM_NO_COOKIE: Costs = [8_362, 20];
const ACTIX: Costs = [10_042, 14];
const ACTIX_NO_COOKIE: Costs = [9_201, 14];

fn verification() -> Repeat {
    warm(verify_cookie())
}

fn on_memory(operation: Operation) -> Repeat {
    warm(operation.prepare("memory:"))
}

fn on_redis(operation: Operation) -> Repeat {
    warm(operation.prepare(&redis_url()))
}

/// Prepares an operation whose values are in the near cache.
fn near_redis(operation: Operation) -> Repeat {
    warm(operation.prepare_near(&redis_url()))
}

fn redis_url() -> String {
    env::var(REDIS).expect("the URL of a server, as set by tests/perf/run")
}

fn on_axum(around: Around, cookies: Cookies) -> Repeat {
    warm(ignored_on_axum(around, cookies))
}

fn on_actix(around: Around, cookies: Cookies) -> Repeat {
    warm(ignored_on_actix(around, cookies))
}

/// Runs the operation until all buffers have their final size.
fn warm(mut operation: Repeat) -> Repeat {
    operation(200);
    operation
}

const TIMES: u64 = 1_000;

/// Returns the operation, so that dropping it is not measured.
fn thousand_times(mut operation: Repeat) -> Repeat {
    operation(TIMES as u32);
    operation
}

/// Environment variable with the server's URL.
const REDIS: &str = "SESSION_PERF_REDIS";

fn costs(committed: Costs) -> LibraryBenchmarkConfig {
    costs_beside([0, 0], committed)
}

/// Returns limits for an operation on Redis that the near cache answers.
fn costs_near(committed: Costs) -> LibraryBenchmarkConfig {
    let mut config = costs(committed);
    config.pass_through_env(REDIS);
    config
}

/// Returns limits for an operation that costs `committed` more than `beside`.
fn costs_beside(beside: Costs, committed: Costs) -> LibraryBenchmarkConfig {
    let instructions = (beside[0] * 100 + committed[0] * 103) * TIMES / 100;
    let allocations = (beside[1] + committed[1]) * TIMES;
    let mut config = LibraryBenchmarkConfig::default();
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.format([EventKind::Ir]).hard_limits([(EventKind::Ir, instructions)]);
    config.tool(callgrind).tool(dhat(allocations));
    config
}

/// Returns the limit for an operation on Redis. One operation in twenty may allocate more, for the
/// connection's buffers.
fn allocations(committed: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config
        .default_tool(Tool::DHAT)
        .pass_through_env(REDIS)
        .tool(dhat(committed * TIMES + TIMES / 20));
    config
}

/// Counts allocations under the benchmark's function. Some dozen calls lie between it and tokio.
fn dhat(most: u64) -> Dhat {
    let mut dhat = Dhat::with_args(["--num-callers=300"]);
    dhat.format([DhatMetric::TotalBlocks]).hard_limits([(DhatMetric::TotalBlocks, most)]);
    dhat
}
