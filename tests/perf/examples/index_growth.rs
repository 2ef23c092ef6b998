//! Growth of the costs of an index, on a real server. Prints two tables.
//!
//! ```sh
//! cargo run --release -p session-perf --features by-hand --example index_growth
//! ```
//!
//! The first table shows how long a list and a count take, by number of sessions of the user. The
//! server's time for a login beside these sessions follows. The second table shows the memory of
//! the server for each session, with and without an index.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use session_runtime::{Lifetime, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;

/// Number of concurrent logins while a table is prepared.
const AT_ONCE: usize = 100;
const ROUNDS: usize = 15;
const LOGINS: u32 = 500;

#[derive(Session)]
struct Indexed {
    #[session(index)]
    user: Option<u64>,
}

#[derive(Session)]
struct Plain {
    user: Option<u64>,
}

#[tokio::main]
async fn main() {
    let server = RedisServer::start();
    let config = SessionConfig::new().store(server.url()).secret(SECRET);
    let sessions = Sessions::new(config.timeout(Duration::from_secs(60))).await.unwrap();
    growth(&server, &sessions).await;
    memory(&server, &sessions).await;
}

async fn growth(server: &RedisServer, sessions: &Sessions) {
    println!("| sessions | list, median ms | count, median ms | login, server µs |");
    println!("| ---: | ---: | ---: | ---: |");
    let mut signed_in = 0;
    for number in [1, 10, 100, 1_000, 10_000] {
        sign_in(sessions, number - signed_in, 7).await;
        signed_in = number;
        let found = sessions.find(Indexed::by_user(7));
        let list = median(async || found.list().await.unwrap().len()).await;
        let count = median(async || found.count().await.unwrap()).await;
        println!("| {number} | {list:.2} | {count:.2} | {:.1} |", login(server, sessions).await);
    }
    let _: String = server.cli(&["FLUSHALL"]);
    for user in [7, 8] {
        sign_in(sessions, 10_000, user).await;
    }
    // All sessions are gone, and their entries are left.
    let script = "for _, key in ipairs(redis.call('KEYS', '*{*')) do redis.call('UNLINK', key) end";
    let _: () = server.cli(&["EVAL", script, "0"]);
    println!("| 10,000 outdated | | | {:.1} |", login(server, sessions).await);
    let start = Instant::now();
    assert_eq!(sessions.find(Indexed::by_user(7)).count().await.unwrap(), 0);
    println!("\nThe first count removed the outdated entries in {:?}.\n", start.elapsed());
}

/// Returns the median of the milliseconds.
async fn median(mut operation: impl AsyncFnMut() -> usize) -> f64 {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(operation().await);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Returns the server's time for a login of the user, in microseconds. The sessions end again.
async fn login(server: &RedisServer, sessions: &Sessions) -> f64 {
    let _: String = server.cli(&["CONFIG", "RESETSTAT"]);
    let mut made = Vec::new();
    for _ in 0..LOGINS {
        let session: Session<Indexed> = sessions.open([]).session();
        let login = session.write().set(session.user(), 7).renew(Lifetime::normal());
        login.commit().await.unwrap();
        made.push(session);
    }
    let stats: String = server.cli(&["INFO", "commandstats"]);
    let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap();
    let per_call = line.split("usec_per_call=").nth(1).unwrap().split(',').next().unwrap();
    for session in made {
        session.destroy().await.unwrap();
    }
    per_call.parse().unwrap()
}

async fn sign_in(sessions: &Sessions, number: usize, user: u64) {
    let logins = stream::iter(0..number).map(async |_| {
        let session: Session<Indexed> = sessions.open([]).session();
        session.set_user(user).await.unwrap();
    });
    logins.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
}

async fn memory(server: &RedisServer, sessions: &Sessions) {
    const SESSIONS: usize = 20_000;
    println!("| users | bytes a session, without an index | with | more |");
    println!("| ---: | ---: | ---: | ---: |");
    for users in [1, 100, SESSIONS] {
        let per_session = |bytes: u64| bytes as f64 / SESSIONS as f64;
        let _: String = server.cli(&["FLUSHALL"]);
        let before = used(server);
        let plain = stream::iter(0..SESSIONS).map(async |at| {
            let session: Session<Plain> = sessions.open([]).session();
            session.set_user((at % users) as u64).await.unwrap();
        });
        plain.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
        let plain = per_session(used(server) - before);
        let _: String = server.cli(&["FLUSHALL"]);
        let before = used(server);
        let indexed = stream::iter(0..SESSIONS).map(async |at| {
            let session: Session<Indexed> = sessions.open([]).session();
            session.set_user((at % users) as u64).await.unwrap();
        });
        indexed.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
        let indexed = per_session(used(server) - before);
        println!("| {users} | {plain:.0} | {indexed:.0} | {:.0} |", indexed - plain);
    }
}

/// Returns the memory that the server uses.
fn used(server: &RedisServer) -> u64 {
    let info: String = server.cli(&["INFO", "memory"]);
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    line.trim().parse().unwrap()
}
