//! A Redis or Valkey server for a single test.

mod make;
mod monitor;
mod process;
mod stats;

pub use make::Make;
pub use monitor::Monitor;
pub(crate) use process::{Recipe, Role, SENTINEL_FILE};
pub use stats::CommandCounts;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use redis::{Connection, FromRedisValue, RedisResult, ToRedisArgs};

use self::process::{Process, SOCKET};
use crate::wait_for;

/// A server process on a free port of this machine, with a separate directory. The server ends when
/// this value is dropped or the test's process ends. No other server is ever touched.
#[derive(Debug)]
pub struct RedisServer {
    recipe: Recipe,
    process: Option<Process>,
    paused: AtomicBool,
    port: u16,
    directory: PathBuf,
}

impl RedisServer {
    /// Starts a server without persistence.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more settings, as on the command line: `&["--maxmemory", "10mb"]`.
    /// Later settings override earlier settings. Set passwords and users with [`cli`](Self::cli)
    /// after the start, because the readiness check has no credentials.
    pub fn start_with(args: &[&str]) -> Self {
        let program = Make::Usual.program();
        Self::prepare(Recipe::server(program.expect("a server, which most tests need"), args))
    }

    /// Starts a server of this make. Returns `None` if the program is missing.
    pub fn start_make(make: Make) -> Option<Self> {
        Self::start_make_with(make, &[])
    }

    /// Starts a server of this make with more settings.
    pub fn start_make_with(make: Make, args: &[&str]) -> Option<Self> {
        Some(Self::prepare(Recipe::server(make.program()?, args)))
    }

    pub(crate) fn prepare(recipe: Recipe) -> Self {
        for _ in 0..5 {
            let mut server = Self {
                recipe: recipe.clone(),
                process: None,
                paused: AtomicBool::new(false),
                port: free_port(),
                directory: fresh_directory(),
            };
            for (name, text) in &recipe.files {
                std::fs::write(server.directory.join(name), text).unwrap();
            }
            // Another process may have taken the port since it was chosen.
            if server.launch() {
                return server;
            }
        }
        panic!("the server did not start: {} {:?}", recipe.program.display(), recipe.args);
    }

    /// Starts all these servers concurrently.
    pub(crate) fn prepare_all(recipes: Vec<Recipe>) -> Vec<Self> {
        let starts: Vec<_> =
            recipes.into_iter().map(|recipe| thread::spawn(|| Self::prepare(recipe))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    }

    /// Returns `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the URL of the server's Unix socket.
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Returns the TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the directory of the server's files. It is removed with the server.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the server like a crash (`kill -9`). The files stay.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.keep_files();
        }
        *self.paused.get_mut() = false;
    }

    /// Restarts the server on the same port, with its data on disk. Kills a running server first.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "the server did not start again");
    }

    /// Restarts with another server program, like after a failover.
    pub fn restart_as(&mut self, program: PathBuf) {
        self.recipe.program = program;
        self.restart();
    }

    /// Freezes the server (`SIGSTOP`): it accepts connections, but never answers.
    pub fn pause(&self) {
        self.signal("STOP");
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("CONT");
        self.paused.store(false, Ordering::Relaxed);
    }

    /// Returns whether the server is neither killed nor paused.
    pub fn is_up(&self) -> bool {
        self.process.is_some() && !self.paused.load(Ordering::Relaxed)
    }

    /// Runs a command on a separate connection, and returns the reply.
    pub fn cli<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> T {
        self.try_cli(command).unwrap()
    }

    /// Runs a command to which the server may answer with an error.
    ///
    /// # Errors
    ///
    /// Returns the server's error, or that of the connection.
    pub fn try_cli<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> RedisResult<T> {
        let mut invocation = redis::Cmd::new();
        for word in command {
            invocation.arg(word);
        }
        invocation.query(&mut self.try_connection()?)
    }

    /// Opens a connection for the test. It uses the Unix socket, which works even if the port only
    /// speaks TLS.
    pub fn connection(&self) -> Connection {
        self.try_connection().unwrap()
    }

    fn try_connection(&self) -> RedisResult<Connection> {
        redis::Client::open(self.unix_url())?.get_connection()
    }

    /// Returns whether the server has `HSETEX`, the command that sets existing fields.
    pub fn has_hsetex(&self) -> bool {
        // The reply for an unknown command is nil.
        !self.cli::<Vec<redis::Value>>(&["COMMAND", "INFO", "HSETEX"]).contains(&redis::Value::Nil)
    }

    /// Returns the number of connections, without those of the tests, which use the Unix socket.
    /// The server may notice the end of the latest of them late.
    pub fn clients(&self) -> usize {
        let clients: String = self.cli(&["CLIENT", "LIST"]);
        clients.lines().filter(|client| !has_flag(client, 'U')).count()
    }

    /// Records every command that the server executes from now on.
    pub fn monitor(&self) -> Monitor {
        Monitor::begin(&[self])
    }

    /// Returns the number of calls of each command so far. Subtract the counts from before.
    pub fn counts(&self) -> CommandCounts {
        CommandCounts::parse(&self.cli::<String>(&["INFO", "commandstats"]))
    }

    /// Returns the time that the server spent on a command since
    /// [`reset_micros`](Self::reset_micros), in microseconds. The name is in lower case. `evalsha`
    /// and `exec` include their inner commands.
    pub fn micros(&self, command: &str) -> u64 {
        stats::micros(&self.cli::<String>(&["INFO", "commandstats"]), command)
    }

    /// Resets [`micros`](Self::micros) and [`counts`](Self::counts).
    pub fn reset_micros(&self) {
        let _: String = self.cli(&["CONFIG", "RESETSTAT"]);
    }

    fn socket(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }

    /// Returns whether the server starts. If the port is taken, the server exits.
    fn launch(&mut self) -> bool {
        let process = Process::start(&self.recipe, &self.directory, self.port);
        let is_ready = wait_for("the server to answer", || match greet(&self.unix_url()) {
            Ok(()) => Some(true),
            Err(_) if process.has_ended() => Some(false),
            Err(_) => None,
        });
        self.process = is_ready.then_some(process);
        is_ready
    }

    fn signal(&self, name: &str) {
        self.process.as_ref().expect("the server runs").signal(name);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.process.take());
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Fails while the server loads its data, because `PING` then returns an error.
fn greet(url: &str) -> RedisResult<()> {
    redis::cmd("PING").exec(&mut redis::Client::open(url)?.get_connection()?)
}

/// Returns a free port. Its second port, for a cluster node, is free too. Both are below the range
/// that the system assigns to connections, so no connection takes them while a server is down.
fn free_port() -> u16 {
    const PORTS: u32 = 11_000;
    const LOWEST: u16 = 10_001;
    const CLUSTER_BUS: u16 = 10_000;
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    wait_for("a free port", || {
        let port = LOWEST + u16::try_from(getrandom::u32().unwrap() % PORTS).unwrap();
        (is_free(port) && is_free(port + CLUSTER_BUS)).then_some(port)
    })
}

fn fresh_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory =
        std::env::temp_dir().join(format!("session-tests-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    directory
}

/// Returns whether a line of `CLIENT LIST` has this flag.
pub fn has_flag(client: &str, flag: char) -> bool {
    client.split(' ').any(|word| word.starts_with("flags=") && word.contains(flag))
}
