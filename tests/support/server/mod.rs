//! A Redis or Valkey server of a test's own.

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

/// A server process on a free port of this machine, with a directory of its own. It ends with this
/// value, or with the test's process, however that ends. No other server is ever touched.
#[derive(Debug)]
pub struct RedisServer {
    recipe: Recipe,
    process: Option<Process>,
    paused: AtomicBool,
    port: u16,
    directory: PathBuf,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more settings, as on its command line: `&["--maxmemory", "10mb"]`.
    /// Later ones override earlier ones. Passwords and users are set with [`cli`](Self::cli)
    /// once it runs: it is asked without them whether it is ready.
    pub fn start_with(args: &[&str]) -> Self {
        let program = Make::Usual.program();
        Self::prepare(Recipe::server(program.expect("a server, which most tests need"), args))
    }

    /// Starts a server of this make, or nothing where there is none.
    pub fn start_make(make: Make) -> Option<Self> {
        Self::start_make_with(make, &[])
    }

    /// The same with more settings.
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
            // Between asking for a free port and the server's start somebody else may take it.
            if server.launch() {
                return server;
            }
        }
        panic!("the server does not start: {} {:?}", recipe.program.display(), recipe.args);
    }

    /// Starts all of these side by side.
    pub(crate) fn prepare_all(recipes: Vec<Recipe>) -> Vec<Self> {
        let starts: Vec<_> =
            recipes.into_iter().map(|recipe| thread::spawn(|| Self::prepare(recipe))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The URL of the server's unix socket.
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The TCP port, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the server keeps its files; it goes away with the server.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the server as a crash would (`kill -9`). Its files stay.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.keep_files();
        }
        *self.paused.get_mut() = false;
    }

    /// Starts the server again, on the same port and with what it had on disk. Kills it first if it
    /// runs.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "the server does not start again");
    }

    /// The same with another server program, as after a failover.
    pub fn restart_as(&mut self, program: PathBuf) {
        self.recipe.program = program;
        self.restart();
    }

    /// Freezes the server (`SIGSTOP`): it takes connections and answers nothing.
    pub fn pause(&self) {
        self.signal("STOP");
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("CONT");
        self.paused.store(false, Ordering::Relaxed);
    }

    /// Whether the server is neither killed nor paused.
    pub fn is_up(&self) -> bool {
        self.process.is_some() && !self.paused.load(Ordering::Relaxed)
    }

    /// Carries out one command on a connection of its own, and gives the reply.
    pub fn cli<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> T {
        self.try_cli(command).unwrap()
    }

    /// The same where the server may answer with an error.
    ///
    /// # Errors
    ///
    /// The server's.
    pub fn try_cli<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> RedisResult<T> {
        let mut invocation = redis::Cmd::new();
        for word in command {
            invocation.arg(word);
        }
        invocation.query(&mut self.connection())
    }

    /// A connection of the test's own. It takes the unix socket, which is there whatever the port
    /// speaks.
    pub fn connection(&self) -> Connection {
        redis::Client::open(self.unix_url()).unwrap().get_connection().unwrap()
    }

    /// Whether it has the command that sets fields which are there.
    pub fn has_hsetex(&self) -> bool {
        // One that it lacks is nothing.
        !self.cli::<Vec<redis::Value>>(&["COMMAND", "INFO", "HSETEX"]).contains(&redis::Value::Nil)
    }

    /// How many connections there are, without this question's own.
    pub fn clients(&self) -> usize {
        self.cli::<String>(&["CLIENT", "LIST"]).lines().count() - 1
    }

    /// Listens to every command that the server carries out from now on.
    pub fn monitor(&self) -> Monitor {
        Monitor::begin(&[self])
    }

    /// How often each command was carried out so far. Take it before and after, and subtract.
    pub fn counts(&self) -> CommandCounts {
        CommandCounts::parse(&self.cli::<String>(&["INFO", "commandstats"]))
    }

    /// How long the server worked on a command, by its lower-case name, in microseconds since
    /// [`reset_micros`](Self::reset_micros). `evalsha` and `exec` include what they carry out.
    pub fn micros(&self, command: &str) -> u64 {
        stats::micros(&self.cli::<String>(&["INFO", "commandstats"]), command)
    }

    /// Counts from nothing again: [`micros`](Self::micros) and [`counts`](Self::counts).
    pub fn reset_micros(&self) {
        let _: String = self.cli(&["CONFIG", "RESETSTAT"]);
    }

    fn socket(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }

    /// Whether the server starts: where its port is taken, it ends.
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

/// A server that still reads its data answers `PING` with an error.
fn greet(url: &str) -> RedisResult<()> {
    redis::cmd("PING").exec(&mut redis::Client::open(url)?.get_connection()?)
}

/// A port that is free, and whose second port is too, for a node of a cluster. Both are below those
/// that the system gives to connections: while a server is down, nobody takes its port by chance.
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
