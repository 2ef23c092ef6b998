//! Two hundred concurrent requests during a fault, with real processes. The results are printed.
//!
//! The tests run one at a time, because concurrent faults would disturb each other.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod cluster;
mod one_server;
mod sentinel;

use std::time::{Duration, Instant};

use session_runtime::{SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::load::Report;
use session_tests::server::RedisServer;
use tokio::sync::{Mutex, MutexGuard};

/// The number of requests in flight.
const VISITORS: usize = 200;
const DEADLINE: Duration = Duration::from_secs(1);
/// A generous limit for slow machines. A hanging operation would take forever.
const BOUND: Duration = Duration::from_secs(10);

async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

async fn sessions(url: &str) -> Sessions {
    Sessions::new(SessionConfig::new().store(url).secret(SECRET).timeout(DEADLINE)).await.unwrap()
}

/// Checks the promises that hold for every fault.
fn assert_sound(report: &Report, servers: &[&RedisServer]) {
    report.assert_right();
    assert!(
        report.longest_wait() < DEADLINE + BOUND,
        "somebody waited for {:?}",
        report.longest_wait()
    );
    for server in servers {
        for key in server.cli::<Vec<String>>(&["KEYS", "*"]) {
            assert_ne!(server.cli::<i64>(&["PTTL", &key]), -1, "a key without an expiry");
            if server.cli::<String>(&["TYPE", &key]) == "hash" {
                assert!(
                    server.cli::<bool>(&["HEXISTS", &key, ""]),
                    "a session that was begun by half"
                );
            }
        }
    }
}

/// Checks that all requests are served within a second after `back`, with a generous limit.
fn assert_served_again(report: &Report, back: Instant) {
    assert!(report.served_again_after(back) < BOUND, "{:?}", report.served_again_after(back));
}
