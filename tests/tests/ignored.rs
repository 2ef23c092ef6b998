//! What a session costs that the handler ignores: allocations. `tests/examples/ignored.rs` is for counting instructions.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::alloc::System;
use std::time::SystemTime;

use session_tests::cookies;
use session_tests::ignored::{Around, on_actix, on_axum};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TIMES: usize = 200;

/// How often each request allocates.
fn allocations(mut request: impl FnMut()) -> usize {
    let count = || {
        let stats = ALLOCATOR.stats();
        stats.allocations + stats.reallocations
    };
    // The first ones fill what stays.
    (0..TIMES).for_each(|_| request());
    let before = count();
    (0..TIMES).for_each(|_| request());
    let counted = count() - before;
    assert_eq!(counted % TIMES, 0, "each request allocates as often as any other");
    counted / TIMES
}

/// One test: what others do at the same time would count.
#[test]
fn an_ignored_session_costs_at_most_three_allocations() {
    let ours = cookies::cookie(&cookies::id(SystemTime::now(), 0));
    for (name, cookie) in [("none", "theme=dark"), ("ours", &ours)] {
        let axum =
            allocations(on_axum(Around::Sessions, cookie)) - allocations(on_axum(Around::Nothing, cookie));
        let actix =
            allocations(on_actix(Around::Sessions, cookie)) - allocations(on_actix(Around::Nothing, cookie));
        println!("cookie: {name}; axum: {axum} allocations, actix-web: {actix}");
        assert!(axum <= 3 && actix <= 3);
    }
}
