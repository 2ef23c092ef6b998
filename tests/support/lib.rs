//! Support for all tests: servers, a network that fails on demand, and the suites for every store.
//!
//! An error here is a failed test. Functions panic with a message instead of returning errors.

#![allow(clippy::unwrap_used, reason = "a failure in test support is a failed test")]

pub mod acceptance;
pub mod browser;
pub mod cookies;
pub mod deployment;
pub mod example;
pub mod gated_store;
pub mod index_model;
pub mod jar;
pub mod load;
pub mod log;
pub mod model;
pub mod near_history;
pub mod program;
pub mod proxy;
pub mod python;
pub mod random;
pub mod resp_proxy;
pub mod server;
pub mod sessionctl;
pub mod websocket;

pub use session_runtime::testing::store_suite;

use std::time::{Duration, Instant};

/// Polls for an answer, for up to twenty seconds.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < limit, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Polls for an asynchronous answer, for up to twenty seconds.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < limit, "timed out waiting for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
