//! Checks whether memory grows under a long load. Sessions are created, used, rotated, ended or
//! forgotten.
//!
//! `cargo run --release -p session-perf --features by-hand --example soak -- memory 600`, or
//! `redis` in place of `memory`
//!
//! Prints the resident memory of this process and of the server every half minute. At the end,
//! prints the memory beside the memory after two minutes.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

use std::time::{Duration, Instant};

use session_runtime::{Error, Lifetime, Session, SessionConfig, Sessions};
use session_tests::server::RedisServer;

const CLIENTS: usize = 64;
/// A short idle timeout, so that forgotten sessions expire soon.
const IDLE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(10);
const WARM: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_secs(30);

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
    name: String,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut args = std::env::args().skip(1);
    let (on, seconds) =
        (args.next().unwrap_or_default(), args.next().map_or(600, |text| text.parse().unwrap()));
    let server = (on == "redis").then(RedisServer::start);
    let store = server.as_ref().map_or("memory:".to_owned(), RedisServer::url);
    let config = SessionConfig::new().store(store).secret(session_tests::cookies::SECRET);
    let sessions = Sessions::new(config.lifetime(Lifetime::normal().idle(IDLE))).await.unwrap();
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(visit_for_ever(sessions.clone()))).collect();
    let (begun, mut warm, mut last) = (Instant::now(), None, (0, 0));
    while begun.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(EVERY).await;
        last = (
            resident(std::process::id()),
            server.as_ref().map_or(0, |server| resident(process_of(server))),
        );
        println!(
            "{:>5} s: this process {} KiB, the server {} KiB",
            begun.elapsed().as_secs(),
            last.0,
            last.1
        );
        if begun.elapsed() >= WARM {
            warm.get_or_insert(last);
        }
    }
    clients.iter().for_each(|client| client.abort());
    if let Some(warm) = warm {
        println!(
            "at the end of what it was after two minutes: this process {}, the server {}",
            share(last.0, warm.0),
            share(last.1, warm.1)
        );
    }
}

/// Visits with a series of sessions of fifty requests each. Every hundredth session has a login and
/// a logout. With more logins and logouts, the number of tombstones, which stay for five minutes,
/// would still grow after two minutes.
async fn visit_for_ever(sessions: Sessions) {
    let mut cookie: Option<String> = None;
    for turn in 0_u64.. {
        let handle = sessions.open(cookie.as_deref().map(str::as_bytes));
        visit(&handle.session(), turn).await.unwrap();
        if let Some(set) = handle.finish().set_cookie() {
            cookie =
                set.split(';').next().filter(|cookie| !cookie.ends_with('=')).map(str::to_owned);
        }
        if turn % 50 == 49 {
            cookie = None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn visit(session: &Session<Visitor>, turn: u64) -> Result<(), Error> {
    session.count().incr(1).await?;
    match turn % 5_000 {
        10 => session.rotate().await,
        49 => session.destroy().await,
        turn if turn % 10 == 3 => session.set_name("x".repeat((turn % 500) as usize)).await,
        _ => session.name().await.map(drop),
    }
}

/// Returns KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn process_of(server: &RedisServer) -> u32 {
    let info: String = server.cli(&["INFO", "server"]);
    info.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap().parse().unwrap()
}

fn share(now: u64, then: u64) -> String {
    format!("{:.1} %", now as f64 * 100.0 / then.max(1) as f64)
}
