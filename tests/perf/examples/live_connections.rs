//! Costs of 10,000 live connections that wait for the end of their session, on a real server.
//!
//! ```sh
//! cargo run --release -p session-perf --features by-hand --example live_connections
//! ```
//!
//! Each figure is printed with the words that explain it.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

use std::alloc::System;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use session_runtime::{EndReason, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use session_tests::until;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::task::JoinHandle;
use tokio::time::sleep;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CONNECTIONS: usize = 10_000;
const AT_ONCE: usize = 100;
const QUIET: Duration = Duration::from_secs(10);

#[derive(Session)]
struct Visitor {
    count: u64,
}

#[tokio::main]
async fn main() {
    let server = RedisServer::start();
    let config = SessionConfig::new().store(server.url()).secret(SECRET);
    let config = config.end_check_interval(Duration::from_secs(3600));
    let sessions = Sessions::new(config).await.unwrap();
    let live = begin(&sessions).await;
    let used = used(&server);
    // The tables of this process have their size after a first round.
    drop_all(wait_for_ends(&server, connect(&sessions, &live)).await).await;
    let more = used_more(&server, used);
    println!("bytes of the server for each watched session: {}", more / CONNECTIONS);

    let bytes = allocated();
    let connections = connect(&sessions, &live);
    let open = allocated();
    println!("bytes of this process for each open session: {}", (open - bytes) / CONNECTIONS);
    let waiting = wait_for_ends(&server, connections).await;
    println!("bytes more while its end is awaited: {}", (allocated() - open) / CONNECTIONS);

    let before = commands(&server);
    sleep(QUIET).await;
    println!("commands within {QUIET:?} of quiet: {}", commands(&server) - before - 1);

    let (looks, start) = (looks(&server), Instant::now());
    let mut writes = 0;
    while start.elapsed() < QUIET {
        live[0].set_count(writes).await.unwrap();
        writes += 1;
    }
    let looks = self::looks(&server) - looks;
    println!("looks within {QUIET:?} at a session that is written {writes} times: {looks}");

    let looks = self::looks(&server);
    let start = Instant::now();
    let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    until("the looks", async || self::looks(&server) - looks >= CONNECTIONS as u64).await;
    println!("time until all are watched again after a lost connection: {:?}", start.elapsed());
    println!("looks for this: {}", self::looks(&server) - looks);

    drop_all(waiting).await;
    println!("bytes that are left after all waiters: {}", allocated() as i64 - bytes as i64);

    let waiting = wait_for_ends(&server, connect(&sessions, &live)).await;
    let start = Instant::now();
    let _: String = server.cli(&["FLUSHALL"]);
    for waiter in waiting {
        assert_eq!(waiter.await.unwrap(), EndReason::Expired);
    }
    println!("time until all have noticed a FLUSHALL: {:?}", start.elapsed());
}

async fn begin(sessions: &Sessions) -> Vec<Session<Visitor>> {
    let sessions = stream::iter(0..CONNECTIONS).map(async |_| {
        let session: Session<Visitor> = sessions.open([]).session();
        session.set_count(1).await.unwrap();
        session
    });
    sessions.buffer_unordered(AT_ONCE).collect().await
}

/// Opens each session once more, as a live connection does.
fn connect(sessions: &Sessions, live: &[Session<Visitor>]) -> Vec<Session<Visitor>> {
    live.iter().map(|session| sessions.open_id(&session.session_id().unwrap())).collect()
}

/// Starts a task for each connection, and waits until the server tells changes of each session.
async fn wait_for_ends(
    server: &RedisServer,
    connections: Vec<Session<Visitor>>,
) -> Vec<JoinHandle<EndReason>> {
    let looks = looks(server);
    let waiting = connections.into_iter().map(|session| tokio::spawn(session.ended())).collect();
    until("the looks", async || self::looks(server) - looks >= CONNECTIONS as u64).await;
    sleep(Duration::from_millis(500)).await;
    waiting
}

async fn drop_all(waiting: Vec<JoinHandle<EndReason>>) {
    for waiter in waiting {
        waiter.abort();
        let _ = waiter.await;
    }
}

fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn looks(server: &RedisServer) -> u64 {
    server.counts().calls("client|caching")
}

fn commands(server: &RedisServer) -> u64 {
    number(server, "stats", "total_commands_processed:")
}

/// Returns the memory that the server uses.
fn used(server: &RedisServer) -> u64 {
    number(server, "memory", "used_memory:")
}

fn used_more(server: &RedisServer, before: u64) -> usize {
    usize::try_from(used(server).saturating_sub(before)).unwrap()
}

fn number(server: &RedisServer, section: &str, name: &str) -> u64 {
    let info: String = server.cli(&["INFO", section]);
    info.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
}
