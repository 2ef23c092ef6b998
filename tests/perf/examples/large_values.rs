//! Effect of large writes on concurrent small reads, over the same connection and over a separate
//! connection.
//!
//! `cargo run --release -p session-perf --features by-hand --example large_values`
//!
//! Prints the latency of small reads in microseconds. Rounds of both kinds take turns, and the
//! result is the median of the rounds.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use session_tests::server::RedisServer;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(700);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let server = RedisServer::start();
    let connect = async || {
        let client = redis::Client::open(server.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    };
    let (small, aside) = (connect().await, connect().await);
    let _: () = redis::cmd("HSET")
        .arg("small")
        .arg("f")
        .arg("v")
        .query_async(&mut small.clone())
        .await
        .unwrap();
    println!(
        "{:>10} {:>8} {:>28} {:>28}",
        "written", "alone", "same connection p50/p99/max", "aside p50/p99/max"
    );
    for kibibytes in [16, 64, 256, 1024, 4096] {
        let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            rounds[0].push(round(&small, None).await);
            rounds[1].push(round(&small, Some((&small, kibibytes))).await);
            rounds[2].push(round(&small, Some((&aside, kibibytes))).await);
        }
        let [alone, same, aside] =
            rounds.map(|rounds| [0, 1, 2].map(|at| median(rounds.iter().map(|round| round[at]))));
        let shown = |waits: [u128; 3]| format!("{}/{}/{}", waits[0], waits[1], waits[2]);
        println!("{:>6} KiB {:>8} {:>28} {:>28}", kibibytes, alone[0], shown(same), shown(aside));
    }
}

/// Returns the latency of sequential small reads during large writes: median, 99th percentile,
/// maximum.
async fn round(
    small: &MultiplexedConnection,
    large: Option<(&MultiplexedConnection, usize)>,
) -> [u128; 3] {
    let writing = large.map(|(connection, kibibytes)| {
        let mut connection = connection.clone();
        tokio::spawn(async move {
            let value = vec![7_u8; kibibytes * 1024];
            loop {
                let command = redis::cmd("HSET").arg("large").arg("f").arg(&value).to_owned();
                let _: () = command.query_async(&mut connection).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    });
    let (mut connection, begun, mut waits) = (small.clone(), Instant::now(), Vec::new());
    while begun.elapsed() < ROUND {
        let asked = Instant::now();
        let _: String =
            redis::cmd("HGET").arg("small").arg("f").query_async(&mut connection).await.unwrap();
        waits.push(asked.elapsed().as_micros());
    }
    if let Some(writing) = writing {
        writing.abort();
        let _ = writing.await;
        // Commands in flight still run.
        let _: String =
            redis::cmd("HGET").arg("small").arg("f").query_async(&mut connection).await.unwrap();
    }
    waits.sort_unstable();
    [waits[waits.len() / 2], waits[waits.len() * 99 / 100], waits[waits.len() - 1]]
}

fn median(numbers: impl Iterator<Item = u128>) -> u128 {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}
