//! Time of a server for each call of a store, as reported by `INFO commandstats`. Prints a table.
//!
//! ```sh
//! cargo run --release -p session-perf --features by-hand --example script_times             # 20,000 calls each
//! cargo run --release -p session-perf --features by-hand --example script_times -- 5000
//! SESSION_TEST_REDIS=/path/to/valkey-server cargo run --release -p session-perf --features by-hand --example script_times
//! ```
//!
//! Each call is on a separate session with eight fields of twenty bytes. The times are those of the
//! commands alone. To read the request and to write the reply takes further time, for a script and
//! for a plain command alike.
//!
//! The calls are measured in twenty batches, and the table shows the fastest and the median. On a
//! busy machine, the fastest is closer to the truth.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

use std::time::Duration;

use futures::future::join_all;
use redis::Pipeline;
use session_runtime::RedisStore;
use session_runtime::store::{
    Action, BoxFuture, Change, Modify, Refresh, SessionKey, SessionStore, StoreError, Write,
    WriteMode,
};
use session_tests::server::RedisServer;
use session_tests::store_suite::fresh_key;
use session_tests::store_suite::{Successor, add, add_float, logout, modify, set};

const HOUR: Duration = Duration::from_secs(3600);
const BATCHES: usize = 20;
/// Number of concurrent calls.
const AT_ONCE: usize = 500;
const VALUE: &str = "twenty bytes of text";

#[tokio::main]
async fn main() {
    let calls = std::env::args().nth(1).map_or(20_000, |calls| calls.parse().unwrap());
    let server = RedisServer::start();
    let store = RedisStore::builder(&server.url()).timeout(HOUR).connect().await.unwrap();
    println!("{}, {calls} calls each\n", version(&server));
    println!("| call | commands | µs per call, least | median |\n| --- | --- | --- | --- |");
    let bench = Bench { server, store, calls };
    bench.reads().await;
    bench.writes().await;
    bench.modifications().await;
    bench.endings().await;
}

struct Bench {
    server: RedisServer,
    store: RedisStore,
    calls: usize,
}

impl Bench {
    async fn reads(&self) {
        let (store, keys) = (&self.store, &self.sessions().await);
        let ample = Refresh::Below { below: HOUR / 2, expires_in: HOUR };
        for (call, commands, refresh) in [
            ("a further read", "HGET", Refresh::No),
            ("a first read", "HGET, PEXPIRE", Refresh::To(HOUR)),
            ("a first read with a threshold", "HGET, PTTL", ample),
        ] {
            self.row(call, commands, keys, |key| store.get(key, "field 3", refresh)).await;
        }
        self.row("time left", "HEXISTS, PTTL", keys, |key| store.expires_in(key)).await;
    }

    async fn writes(&self) {
        let (store, keys) = (&self.store, &self.sessions().await);
        let all = fields();
        let all: Vec<_> = all.iter().map(|name| set(name, VALUE)).collect();
        let removal = [Change::Remove { field: "field 3" }];
        self.unguarded_writes(keys);
        for (call, changes) in [
            ("a write of one field", &all[..1]),
            ("a write of eight fields", &all),
            ("a removal", &removal),
        ] {
            let write = Write { mode: WriteMode::Existing, changes, expires_in: HOUR, index: None };
            self.row(call, "EVALSHA write.lua", keys, |key| store.write(key, write)).await;
        }
        let new: Vec<_> = (0..self.calls).map(|_| fresh_key()).collect();
        let create =
            Write { mode: WriteMode::Create, changes: &all[..1], expires_in: HOUR, index: None };
        self.row("a creation with one field", "EVALSHA write.lua", &new, |key| {
            store.write(key, create)
        })
        .await;
    }

    async fn modifications(&self) {
        let (store, keys) = (&self.store, &self.sessions().await);
        let names = ["field 0", "field 1", "field 2", "field 3"];
        self.row("a read of four fields", "HMGET", keys, |key| {
            store.get_many(key, &names, Refresh::No)
        })
        .await;
        let nothing = Action::CompareAndSet { expected: None, or_missing: false, value: None };
        let value = Some(VALUE.into());
        let swap = Action::CompareAndSet { expected: value.clone(), or_missing: false, value };
        for (call, field, action) in [
            ("compare, and leave it", "field 3", nothing),
            ("compare and set", "field 3", swap),
            ("add to an integer", "count", add(12_345)),
            ("add to a number of 64 bits", "amount", add_float(0.1)),
            ("take", "field 3", Action::Replace(None)),
        ] {
            let modify = Modify { field, ..modify(action) };
            self.row(call, "EVALSHA modify.lua", keys, |key| store.modify(key, modify.clone()))
                .await;
        }
    }

    async fn endings(&self) {
        let (store, keys) = (&self.store, self.sessions().await);
        let moves: Vec<_> = keys.into_iter().map(|key| (key, Successor::fresh())).collect();
        for call in ["rotate", "rotate, once more"] {
            self.row(call, "EVALSHA rotate.lua", &moves, |(key, to)| {
                store.rotate(key, to.rotation())
            })
            .await;
        }
        self.row("destroy", "EVALSHA destroy.lua", &moves, |(_, successor)| {
            store.destroy(&successor.key, logout(HOUR))
        })
        .await;
        self.row("destroy what has moved", "EVALSHA destroy.lua", &moves, |(key, _)| {
            store.destroy(key, logout(HOUR))
        })
        .await;
    }

    /// Creates a session with eight fields for each call.
    async fn sessions(&self) -> Vec<SessionKey> {
        let _: String = self.server.cli(&["FLUSHALL"]);
        let keys: Vec<_> = (0..self.calls).map(|_| fresh_key()).collect();
        let fields = fields();
        let changes: Vec<_> = fields.iter().map(|name| set(name, VALUE)).collect();
        let create =
            Write { mode: WriteMode::Create, changes: &changes, expires_in: HOUR, index: None };
        each(&keys, |key| self.store.write(key, create)).await;
        keys
    }

    /// A write without a condition.
    fn unguarded_writes(&self, keys: &[SessionKey]) {
        let mut connection = self.server.connection();
        let times = keys.chunks(self.calls.div_ceil(BATCHES)).map(|batch| {
            self.server.reset_micros();
            for keys in batch.chunks(AT_ONCE) {
                let mut commands = Pipeline::new();
                for key in keys.iter().map(SessionKey::expose_secret) {
                    commands.cmd("MULTI").cmd("HSET").arg(key).arg("field 3").arg(VALUE);
                    commands.cmd("PEXPIRE").arg(key).arg(3_600_000).cmd("EXEC");
                }
                let _: Vec<redis::Value> = commands.query(&mut connection).unwrap();
            }
            self.micros("MULTI, EXEC", batch.len())
        });
        print_row(
            "none: a write without a condition",
            "MULTI, EXEC (HSET, PEXPIRE)",
            times.collect(),
        );
    }

    /// Makes a call for each item, and prints the time of these commands.
    async fn row<'a, I, T>(
        &self,
        call: &str,
        commands: &str,
        items: &'a [I],
        make: impl Fn(&'a I) -> BoxFuture<'a, Result<T, StoreError>>,
    ) {
        let mut times = Vec::new();
        for batch in items.chunks(items.len().div_ceil(BATCHES)) {
            self.server.reset_micros();
            each(batch, &make).await;
            times.push(self.micros(commands, batch.len()));
        }
        print_row(call, commands, times);
    }

    /// Returns the time of these commands for one call, since the last reset. `EVALSHA` and `EXEC`
    /// include their inner commands.
    fn micros(&self, commands: &str, calls: usize) -> f64 {
        let names = commands.split(", ").filter_map(|command| command.split(' ').next());
        let total: u64 = names.map(|name| self.server.micros(&name.to_lowercase())).sum();
        f64::from(u32::try_from(total).unwrap()) / f64::from(u32::try_from(calls).unwrap())
    }
}

fn print_row(call: &str, commands: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    println!("| {call} | {commands} | {:.2} | {:.2} |", times[0], times[times.len() / 2]);
}

/// Makes a call for each item, with a limit on concurrent calls.
async fn each<'a, I, T>(
    items: &'a [I],
    call: impl Fn(&'a I) -> BoxFuture<'a, Result<T, StoreError>>,
) {
    for items in items.chunks(AT_ONCE) {
        for reply in join_all(items.iter().map(&call)).await {
            reply.unwrap();
        }
    }
}

fn fields() -> [String; 8] {
    std::array::from_fn(|at| format!("field {at}"))
}

/// Returns the name and version, such as `Redis 7.0.15` or `Valkey 9.1.0`.
fn version(server: &RedisServer) -> String {
    let info: String = server.cli(&["INFO", "server"]);
    let line = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    match line("valkey_version:") {
        Some(version) => format!("Valkey {version}"),
        None => format!("Redis {}", line("redis_version:").unwrap_or("of no version")),
    }
}
