//! Memory use of the memory store beside the store's own count, and throughput by number of
//! threads. Prints figures, without any check.
//!
//! ```sh
//! cargo run --release -p session-perf --features by-hand --example memory_store
//! ```

#![allow(clippy::unwrap_used, reason = "a failure ends the program")]

use std::alloc::System;
use std::hint::black_box;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use session_runtime::store::WhenFull;
use session_runtime::store::{Change, Refresh, SessionKey, SessionStore, Write, WriteMode};
use session_runtime::{Bytes, MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::store_suite::{Successor, fresh_key};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const DAY: Duration = Duration::from_secs(24 * 3600);

// From the documentation of `MemoryStore`.
const SESSION: usize = 900;
const FIELD: usize = 210;
const TOMBSTONE: usize = 260;

/// Number of threads, and whether they share a store. Separate stores show the limit for a sharded
/// store.
const SHARING: [(usize, bool); 3] = [(1, true), (2, true), (2, false)];

#[derive(Session)]
struct Visitor {
    count: u64,
}

fn main() {
    let runtime = runtime();
    let arguments: Vec<usize> =
        std::env::args().skip(1).map(|argument| argument.parse().unwrap()).collect();
    if let [fields, length] = arguments[..] {
        return runtime.block_on(size(fields, length));
    }
    sizes();
    runtime.block_on(tombstones());
    runtime.block_on(floods());
    for (threads, shared) in SHARING {
        operations(threads, shared);
    }
    for (threads, shared) in SHARING {
        requests(threads, shared);
    }
}

/// Runs each shape in a separate process, because freed memory does not return to the system.
fn sizes() {
    println!("bytes a session:\n fields  length   counted allocated  resident");
    for (fields, length) in
        [(0, 0), (1, 8), (5, 16), (11, 16), (12, 16), (40, 16), (5, 1000), (500, 8), (5, 100_000)]
    {
        let shape = [fields, length].map(|number: usize| number.to_string());
        Command::new(std::env::current_exe().unwrap()).args(shape).status().unwrap();
    }
}

async fn size(fields: usize, length: usize) {
    let names: Vec<_> = (0..fields).map(|at| format!("field{at:03}")).collect();
    let sessions = 200_000_000 / (SESSION + fields * (FIELD + length));
    let (region, resident_before) = (Region::new(ALLOCATOR), resident());
    let store = unbounded();
    let mut key_bytes = 0;
    for _ in 0..sessions {
        let key = fresh_key();
        key_bytes = key.expose_secret().len();
        create(&store, &key, &names, length).await;
        // A value that was read has a header for sharing.
        for name in &names {
            store.get(&key, name, Refresh::No).await.unwrap();
        }
    }
    let counted = SESSION + key_bytes + FIELD + fields * (FIELD + 8 + length);
    let (allocated, resident) =
        (held(&region) / sessions, (resident() - resident_before) / sessions);
    println!("{fields:>7} {length:>7} {counted:>9} {allocated:>9} {resident:>9}");
}

async fn tombstones() {
    const ROTATIONS: usize = 50_000;
    let (region, store, mut from) = (Region::new(ALLOCATOR), unbounded(), fresh_key());
    create(&store, &from, &[], 0).await;
    let before = held(&region);
    for _ in 0..ROTATIONS {
        let to = Successor::fresh();
        store.rotate(&from, to.rotation()).await.unwrap();
        from = to.key;
    }
    let counted = TOMBSTONE + from.expose_secret().len();
    println!("a tombstone: counted {counted}, allocated {}", (held(&region) - before) / ROTATIONS);
}

/// Anonymous creations on a store with the default bounds.
async fn floods() {
    for (when_full, length, sessions) in [
        (WhenFull::Refuse, 100, 1_000_000),
        (WhenFull::Evict, 100, 1_000_000),
        (WhenFull::Evict, 20_000, 50_000),
    ] {
        let store = MemoryStore::builder().when_full(when_full).build();
        let (begun, mut refused, mut slowest) = (Instant::now(), 0, Duration::ZERO);
        for _ in 0..sessions {
            let one = Instant::now();
            let changes =
                [Change::Set { field: "name", value: vec![b'x'; length].into(), ttl: None }];
            let write =
                Write { mode: WriteMode::Create, changes: &changes, expires_in: DAY, index: None };
            refused += u32::from(store.write(&fresh_key(), write).await.is_err());
            slowest = slowest.max(one.elapsed());
        }
        println!(
            "{sessions} creations of {length} bytes, {when_full:?}: {refused} refused, {} MiB \
             resident, {:?}, the slowest {slowest:?}",
            resident() >> 20,
            begun.elapsed()
        );
    }
}

/// Half reads with a refresh, half writes. Each thread has its own sessions.
fn operations(threads: usize, shared: bool) {
    const CALLS: u32 = 1_000_000;
    let store = MemoryStore::new();
    measure("operations", threads, shared, CALLS, async || {
        let store = if shared { store.clone() } else { MemoryStore::new() };
        let keys: Vec<SessionKey> = (0..1000).map(|_| fresh_key()).collect();
        for key in &keys {
            create(&store, key, &["a".to_owned()], 8).await;
        }
        for (at, key) in (0..CALLS).zip(keys.iter().cycle()) {
            if at.is_multiple_of(2) {
                black_box(store.get(key, "a", Refresh::To(DAY)).await.unwrap());
            } else {
                let value = Bytes::from_static(b"12345678");
                let changes = [Change::Set { field: "a", value, ttl: None }];
                let write = Write {
                    mode: WriteMode::Existing,
                    changes: &changes,
                    expires_in: DAY,
                    index: None,
                };
                store.write(key, write).await.unwrap();
            }
        }
    });
}

/// A request by hand: verifies the cookie, reads and writes a field, and creates the response
/// headers.
fn requests(threads: usize, shared: bool) {
    const CALLS: u32 = 200_000;
    let manager =
        || Sessions::with_store(SessionConfig::new().secret(SECRET), MemoryStore::new()).unwrap();
    let sessions = manager();
    measure("requests of two operations", threads, shared, CALLS, async || {
        let sessions = if shared { sessions.clone() } else { manager() };
        let first = sessions.open([]);
        first.session::<Visitor>().set_count(1).await.unwrap();
        let cookie = first.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned();
        for _ in 0..CALLS {
            let handle = sessions.open([cookie.as_bytes()]);
            let session = handle.session::<Visitor>();
            let count = session.count().await.unwrap();
            session.set_count(count + 1).await.unwrap();
            let _ = black_box(handle.finish());
        }
    });
}

fn measure(what: &str, threads: usize, shared: bool, calls: u32, act: impl AsyncFn() + Sync) {
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| runtime().block_on(act()));
        }
    });
    let (each, rate) = (
        begun.elapsed() / calls,
        f64::from(calls) * threads as f64 / begun.elapsed().as_secs_f64(),
    );
    let stores = if shared { "one store" } else { "a store each" };
    println!("{what}, {threads} thread(s) on {stores}: {each:?} each, {rate:.0} a second together");
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

async fn create(store: &MemoryStore, key: &SessionKey, names: &[String], length: usize) {
    let set = |name| Change::Set { field: name, value: vec![b'x'; length].into(), ttl: None };
    let changes: Vec<_> = names.iter().map(|name| set(name.as_str())).collect();
    let write = Write { mode: WriteMode::Create, changes: &changes, expires_in: DAY, index: None };
    store.write(key, write).await.unwrap();
}

fn unbounded() -> MemoryStore {
    MemoryStore::builder().max_entries(usize::MAX).max_bytes(usize::MAX).build()
}

/// Returns the allocated memory in bytes.
fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

/// Returns the resident memory in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
