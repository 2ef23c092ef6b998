//! Memory of 100,000 sessions in a near cache, on a real server and in this process.
//!
//! ```sh
//! cargo run --release -p session-perf --features by-hand --example near_cache
//! ```
//!
//! Each figure is printed with the words that explain it.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

use std::alloc::System;
use std::time::Duration;

use futures::{StreamExt, stream};
use session_runtime::{NearCache, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SESSIONS: usize = 100_000;
const AT_ONCE: usize = 100;

#[derive(Session)]
struct Visitor {
    #[session(cached)]
    theme: String,
}

#[tokio::main]
async fn main() {
    measure("without a near cache", SessionConfig::new()).await;
    let cache = NearCache::new().max_bytes(1 << 30).max_age(Duration::from_secs(3600));
    measure("with a near cache", SessionConfig::new().near_cache(cache)).await;
}

async fn measure(kind: &str, config: SessionConfig) {
    println!("{kind}:");
    let server = RedisServer::start();
    let sessions = Sessions::new(config.store(server.url()).secret(SECRET)).await.unwrap();
    let empty = used(&server);
    let ids = begin(&sessions).await;
    // The tables of this process have their size after a first round.
    read_all(&sessions, &ids[..AT_ONCE]).await;
    let (stored, bytes) = (used(&server), allocated());
    println!("  bytes of the server for each session: {}", per_session(stored - empty));

    // A near cache keeps a session from the second read within a minute.
    for round in ["first", "second", "third"] {
        let reads = reads(&server);
        read_all(&sessions, &ids).await;
        let reads = self::reads(&server) - reads;
        println!("  reads that reached the server, {round} round: {reads} of {SESSIONS}");
    }
    let more = used(&server) - stored;
    println!("  bytes of the server more for each session after the reads: {}", per_session(more));
    println!("  bytes of the server more in all: {more}");
    println!("  sessions that the server tracks: {}", tracked(&server));
    let more = allocated() - bytes;
    println!("  bytes of this process more for each session: {}", per_session(more));
}

async fn begin(sessions: &Sessions) -> Vec<SessionId> {
    let ids = stream::iter(0..SESSIONS).map(async |_| {
        let session: Session<Visitor> = sessions.open([]).session();
        session.set_theme("dark").await.unwrap();
        session.session_id().unwrap()
    });
    ids.buffer_unordered(AT_ONCE).collect().await
}

/// Reads each session, in a request of its own.
async fn read_all(sessions: &Sessions, ids: &[SessionId]) {
    let reads = stream::iter(ids).for_each_concurrent(AT_ONCE, async |id| {
        let session: Session<Visitor> = sessions.open_id(id);
        assert_eq!(session.theme().await.unwrap(), "dark");
    });
    reads.await;
}

fn per_session(bytes: i64) -> f64 {
    bytes as f64 / SESSIONS as f64
}

fn allocated() -> i64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as i64 - stats.bytes_deallocated as i64
}

fn reads(server: &RedisServer) -> u64 {
    let counts = server.counts();
    counts.calls("hget") + counts.calls("hmget")
}

/// Returns the memory that the server uses.
fn used(server: &RedisServer) -> i64 {
    number(server, "memory", "used_memory:")
}

fn tracked(server: &RedisServer) -> i64 {
    number(server, "stats", "tracking_total_keys:")
}

fn number(server: &RedisServer, section: &str, name: &str) -> i64 {
    let info: String = server.cli(&["INFO", section]);
    info.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
}
