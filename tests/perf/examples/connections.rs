//! Effect of more connections to one server, for first reads of a session, 64 at a time.
//!
//! `cargo run --release -p session-perf --features by-hand --example connections`
//!
//! Prints reads per second relative to a single connection. Rounds take turns, and the result is
//! the median of the rounds' ratios.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

use std::time::{Duration, Instant};

use session_runtime::store::{Refresh, SessionKey, SessionStore};
use session_runtime::{RedisStore, SessionId};
use session_tests::cookies;
use session_tests::server::RedisServer;
use session_tests::store_suite::{create, set};

const COUNTS: [usize; 4] = [1, 2, 4, 8];
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(500);
const AT_ONCE: usize = 64;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let server = RedisServer::start();
    let mut stores = Vec::new();
    for connections in COUNTS {
        stores.push(
            RedisStore::builder(&server.url()).connections(connections).connect().await.unwrap(),
        );
    }
    // Each id has its own tag, which selects the connection.
    let id = || SessionId::parse(&cookies::id(std::time::SystemTime::now(), 0)).unwrap();
    let keys: Vec<_> = (0..AT_ONCE).map(|_| SessionKey::new("test", &id())).collect();
    for key in &keys {
        create(&stores[0], key, &[set("a", "1")]).await;
    }
    let mut ratios = vec![Vec::new(); COUNTS.len()];
    for _ in 0..ROUNDS {
        let mut rates = Vec::new();
        for store in &stores {
            rates.push(round(store, &keys).await);
        }
        for (ratios, rate) in ratios.iter_mut().zip(&rates) {
            ratios.push(rate / rates[0]);
        }
    }
    for (connections, mut ratios) in COUNTS.into_iter().zip(ratios) {
        ratios.sort_by(f64::total_cmp);
        println!("{connections} connections: {:.2}", ratios[ROUNDS / 2]);
    }
}

/// Returns reads per second.
async fn round(store: &RedisStore, keys: &[SessionKey]) -> f64 {
    let begun = Instant::now();
    let readers = keys.iter().map(|key| {
        let (store, key) = (store.clone(), key.clone());
        tokio::spawn(async move {
            let mut reads = 0_u32;
            while begun.elapsed() < ROUND {
                store.get(&key, "a", Refresh::To(Duration::from_secs(3600))).await.unwrap();
                reads += 1;
            }
            reads
        })
    });
    let mut reads = 0;
    for reader in readers.collect::<Vec<_>>() {
        reads += reader.await.unwrap();
    }
    f64::from(reads) / begun.elapsed().as_secs_f64()
}
