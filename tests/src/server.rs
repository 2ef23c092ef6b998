//! A Redis or Valkey server of a test's own.

mod binary;
mod monitor;
mod stats;

pub use binary::{field_expiry_binary, server_binary};
pub use monitor::Monitor;
pub use stats::CommandCounts;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use redis::{Connection, FromRedisValue, ToRedisArgs};

use crate::wait_for;

/// A server process on a free port of this machine, with a directory of its own. It ends with this value, or with the test's process,
/// however that ends. No other server is ever touched.
#[derive(Debug)]
pub struct RedisServer {
    binary: PathBuf,
    process: Option<Process>,
    port: u16,
    directory: PathBuf,
    args: Vec<String>,
}

/// A shell that holds the server: when its input ends, because this is dropped or because the test's process is gone, it kills the server
/// and removes its files. A line of input says that they stay.
#[derive(Debug)]
struct Process {
    shell: Child,
    server_id: u32,
    _output: BufReader<ChildStdout>,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more settings, as on its command line: `&["--maxmemory", "10mb"]`. Later ones override earlier ones. Passwords
    /// and users are set with [`cli`](Self::cli) once it runs: it is asked without them whether it is ready.
    pub fn start_with(args: &[&str]) -> Self {
        Self::start_binary(server_binary(), args)
    }

    /// Starts a server that can expire single fields. Nothing if there is none, unless `SESSION_FIELDS_REQUIRED` says that there has to be.
    pub fn start_expiring_fields() -> Option<Self> {
        let binary = field_expiry_binary();
        let is_required = std::env::var_os("SESSION_FIELDS_REQUIRED").is_some_and(|required| required == "1");
        assert!(binary.is_some() || !is_required, "a server that can expire single fields is required");
        if binary.is_none() {
            eprintln!("skipped: no server that can expire single fields, ./tests/run fetches one");
        }
        binary.map(|binary| Self::start_binary(binary, &[]))
    }

    fn start_binary(binary: PathBuf, args: &[&str]) -> Self {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        for _ in 0..5 {
            let mut server = Self {
                binary: binary.clone(),
                process: None,
                port: free_port(),
                directory: fresh_directory(),
                args: args.clone(),
            };
            // Between asking for a free port and the server's start somebody else may take it.
            if server.launch() {
                return server;
            }
        }
        panic!("the server does not start: {} {args:?}", binary.display());
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The URL of the server's unix socket.
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}", self.directory.join("socket").display())
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
    }

    /// Starts the server again, on the same port and with what it had on disk. Kills it first if it runs.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "the server does not start again");
    }

    /// The same with another server program, as after a failover.
    pub fn restart_as(&mut self, binary: PathBuf) {
        self.binary = binary;
        self.restart();
    }

    /// Freezes the server (`SIGSTOP`): it takes connections and answers nothing.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Carries out one command on a connection of its own, and gives the reply.
    pub fn cli<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> T {
        let mut invocation = redis::Cmd::new();
        for word in command {
            invocation.arg(word);
        }
        invocation.query(&mut self.connection()).unwrap()
    }

    /// A connection of the test's own.
    pub fn connection(&self) -> Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Listens to every command that the server carries out from now on.
    pub fn monitor(&self) -> Monitor {
        Monitor::begin(self.port)
    }

    /// How often each command was carried out so far. Take it before and after, and subtract.
    pub fn counts(&self) -> CommandCounts {
        CommandCounts::parse(&self.cli::<String>(&["INFO", "commandstats"]))
    }

    fn launch(&mut self) -> bool {
        let process = Process::start(&self.binary, &self.directory, self.port, &self.args);
        let is_ready = wait_for("the server to answer", || process.is_ready(self.port));
        self.process = is_ready.then_some(process);
        is_ready
    }

    fn signal(&self, name: &str) {
        let process = self.process.as_ref().expect("the server runs");
        let id = process.server_id.to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status();
        assert!(status.unwrap().success(), "the server is there to be signalled");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.process.take());
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Process {
    fn start(binary: &Path, directory: &Path, port: u16, args: &[String]) -> Self {
        // What would be too large for a file is an error to the server, as on a full disk, and not its end.
        const HOLD: &str = r#"
            trap '' XFSZ
            "$@" >log 2>&1 &
            echo $!
            if read -r _; then kept=yes; else kept=no; fi
            kill -s KILL $! 2>/dev/null
            wait
            if [ $kept = no ]; then rm -r "$PWD"; fi
        "#;
        let mut shell = Command::new("sh")
            .args(["-c", HOLD, "sh"])
            .arg(binary)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--unixsocket", "socket", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(args)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(shell.stdout.take().unwrap());
        let mut id = String::new();
        output.read_line(&mut id).unwrap();
        Self { shell, server_id: id.trim().parse().unwrap(), _output: output }
    }

    fn keep_files(&mut self) {
        // Where the shell is gone already, the server is too.
        let _ = self.shell.stdin.as_mut().unwrap().write_all(b"keep\n");
    }

    /// Nothing yet, or whether it is this server that answers on the port.
    fn is_ready(&self, port: u16) -> Option<bool> {
        match greet(port) {
            Ok(info) => Some(info.lines().any(|line| line == format!("process_id:{}", self.server_id))),
            Err(_) if self.has_ended() => Some(false),
            Err(_) => None,
        }
    }

    fn has_ended(&self) -> bool {
        // A process that has ended and was not waited for is a zombie: no memory is mapped.
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server_id)).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input tells the shell to kill the server.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// What a server says of itself, once it serves: one that still reads its data answers `PING` with an error.
fn greet(port: u16) -> redis::RedisResult<String> {
    let mut connection = redis::Client::open(("127.0.0.1", port))?.get_connection()?;
    redis::cmd("PING").exec(&mut connection)?;
    redis::cmd("INFO").arg("server").query(&mut connection)
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn fresh_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("session-tests-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    directory
}
