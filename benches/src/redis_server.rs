//! The Redis server that all contestants share, with counters.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use redis::Connection;

use crate::Failure;

/// A server without persistence, on a free port of this machine. The server ends when this value is
/// dropped or this program ends.
pub(crate) struct RedisServer {
    /// A shell that holds the server. At the end of the input, the shell kills the server.
    holder: Child,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    pub(crate) process_id: u32,
    /// Name and version, such as `Redis 8.0.0`.
    pub(crate) version: String,
    connection: Connection,
}

/// Counters of a server since the start. The difference of two values is the work in between.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    /// Number of calls and total time in microseconds, by command.
    pub(crate) commands: BTreeMap<String, (u64, u64)>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

const STARTS_WITHIN: Duration = Duration::from_secs(10);

impl RedisServer {
    /// Starts the first server program that exists: `SESSION_BENCH_REDIS`, the Redis 8 that
    /// `tests/run --servers-only` fetches, or `redis-server` or `valkey-server` on `PATH`.
    pub(crate) fn start() -> Result<Self, Failure> {
        let program = program()
            .ok_or("no Redis server: run tests/run --servers-only, or set SESSION_BENCH_REDIS")?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let holder = Command::new("sh")
            .args(["-c", r#""$@" >/dev/null 2>&1 & read -r _; kill -s KILL $!"#, "sh"])
            .arg(program)
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .current_dir(env::temp_dir())
            .stdin(Stdio::piped())
            .spawn()?;
        let address = format!("127.0.0.1:{port}");
        let mut connection = connect(&address)?;
        let info = info(&mut connection, "server")?;
        let number = |name| field(&info, name).ok_or("not the reply of a Redis server to INFO");
        let version = match field(&info, "valkey_version") {
            Some(version) => format!("Valkey {version}"),
            None => format!("Redis {}", number("redis_version")?),
        };
        Ok(Self {
            holder,
            address,
            process_id: number("process_id")?.parse()?,
            version,
            connection,
        })
    }

    /// Removes all keys. Scripts stay loaded.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(redis::cmd("FLUSHALL").exec(&mut self.connection)?)
    }

    /// Returns whether the server supports an expiry for each field.
    pub(crate) fn supports_field_expiry(&mut self) -> Result<bool, Failure> {
        let known: Vec<Option<redis::Value>> =
            redis::cmd("COMMAND").arg("INFO").arg("HEXPIRE").query(&mut self.connection)?;
        Ok(known.into_iter().all(|command| command.is_some()))
    }

    /// Returns the connection for this program's own commands.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns the memory in bytes of the server's data and internal structures.
    pub(crate) fn used_memory(&mut self) -> Result<u64, Failure> {
        let info = info(&mut self.connection, "memory")?;
        Ok(field(&info, "used_memory").ok_or("INFO memory lacks a number")?.parse()?)
    }

    /// Returns the counters, adjusted for this query. Two queries around a measurement therefore
    /// leave no trace in the difference.
    pub(crate) fn counters(&mut self, side: Side) -> Result<Counters, Failure> {
        let mut counters = Counters::default();
        if side == Side::Before {
            counters.commands = commands(&info(&mut self.connection, "commandstats")?);
        }
        let stats = info(&mut self.connection, "stats")?;
        let number = |name| -> Result<u64, Failure> {
            Ok(field(&stats, name).ok_or("INFO stats lacks a number")?.parse()?)
        };
        counters.bytes_in = number("total_net_input_bytes")?;
        counters.bytes_out = number("total_net_output_bytes")?;
        match side {
            // The server counts a reply only after making it. This reply is missing here, although
            // it precedes the measurement.
            Side::Before => counters.bytes_out += answer_length(stats.len()),
            // The server has already counted this query.
            Side::After => {
                counters.bytes_in -= QUESTION.len() as u64;
                counters.commands = commands(&info(&mut self.connection, "commandstats")?);
            }
        }
        Ok(counters)
    }
}

/// Side of the measurement on which the counters are queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Counters {
    /// Returns how often these commands were called.
    pub(crate) fn calls(&self, names: &[&str]) -> u64 {
        let counters = names.iter().filter_map(|name| self.commands.get(*name));
        counters.map(|(calls, _)| calls).sum()
    }

    /// Returns the work since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let since = |(name, (calls, micros)): (&String, &(u64, u64))| {
            let (earlier_calls, earlier_micros) =
                before.commands.get(name).copied().unwrap_or_default();
            (*calls > earlier_calls).then(|| {
                (name.clone(), (calls - earlier_calls, micros.saturating_sub(earlier_micros)))
            })
        };
        Self {
            commands: self.commands.iter().filter_map(since).collect(),
            bytes_in: self.bytes_in - before.bytes_in,
            bytes_out: self.bytes_out - before.bytes_out,
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // The shell sees the end of the input.
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

const QUESTION: &str = "*2\r\n$4\r\nINFO\r\n$5\r\nstats\r\n";

/// Returns the length of a bulk string with this number of bytes: `$LENGTH\r\n…\r\n`.
fn answer_length(bytes: usize) -> u64 {
    (1 + bytes.to_string().len() + 2 + bytes + 2) as u64
}

fn connect(address: &str) -> Result<Connection, Failure> {
    let client = redis::Client::open(format!("redis://{address}"))?;
    let started = Instant::now();
    loop {
        match client.get_connection() {
            Ok(connection) => return Ok(connection),
            Err(error) if started.elapsed() > STARTS_WITHIN => return Err(error.into()),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn info(connection: &mut Connection, section: &str) -> Result<String, Failure> {
    Ok(redis::cmd("INFO").arg(section).query(connection)?)
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Parses lines such as `cmdstat_hget:calls=20000,usec=9000,…`. The commands of this program's own
/// queries are left out.
fn commands(info: &str) -> BTreeMap<String, (u64, u64)> {
    let number = |numbers: &str, name: &str| -> Option<u64> {
        numbers
            .split(',')
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    let command = |line: &str| {
        let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        (name != "info")
            .then_some((name.to_owned(), (number(numbers, "calls")?, number(numbers, "usec")?)))
    };
    info.lines().filter_map(command).collect()
}

fn program() -> Option<PathBuf> {
    let fetched =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers/redis-8/redis-server");
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = ["redis-server", "valkey-server"].into_iter().flat_map(|name| {
        env::split_paths(&path).map(move |directory| directory.join(name)).collect::<Vec<_>>()
    });
    let named = env::var_os("SESSION_BENCH_REDIS").map(PathBuf::from);
    named.or_else(|| std::iter::once(fetched).chain(installed).find(|program| program.is_file()))
}
