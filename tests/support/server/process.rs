//! The process of a server.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use crate::program::{command_of, signal};

/// The command to start, without port and directory.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) program: PathBuf,
    pub(crate) role: Role,
    /// More settings, as on the command line. Later settings override earlier settings.
    pub(crate) args: Vec<String>,
    /// Name and text of files that exist in the directory before the first start.
    pub(crate) files: Vec<(&'static str, String)>,
}

/// The role of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A server without persistence.
    Server,
    /// A server without persistence that only speaks TLS.
    TlsServer,
    /// A sentinel, which keeps its state in its configuration file.
    Sentinel,
}

/// A shell that holds the server. When its input ends, because this value is dropped or the test's
/// process ends, it kills the server and removes the files. A line of input keeps the files.
#[derive(Debug)]
pub(super) struct Process {
    shell: Child,
    server_id: u32,
    _output: BufReader<ChildStdout>,
}

/// Additional socket of every server, in its directory. It works without TLS, and only the test
/// knows it.
pub(super) const SOCKET: &str = "socket";

impl Recipe {
    pub(crate) fn server(program: PathBuf, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { program, role: Role::Server, args, files: Vec::new() }
    }
}

impl Role {
    fn args(self, port: u16) -> Vec<String> {
        let port = port.to_string();
        let args: &[&str] = match self {
            Self::Server => &["--port", &port, "--save", "", "--appendonly", "no"],
            Self::TlsServer => {
                &["--port", "0", "--tls-port", &port, "--save", "", "--appendonly", "no"]
            }
            Self::Sentinel => &[SENTINEL_FILE, "--sentinel", "--port", &port],
        };
        args.iter().map(|arg| (*arg).to_owned()).collect()
    }
}

/// Configuration file of a sentinel.
pub(crate) const SENTINEL_FILE: &str = "sentinel.conf";

impl Process {
    pub(super) fn start(recipe: &Recipe, directory: &Path, port: u16) -> Self {
        // A file above the limit gives the server an error, like a full disk, and does not kill the
        // server.
        const HOLD: &str = r#"
            trap '' XFSZ
            "$@" >log 2>&1 &
            echo $!
            if read -r _; then kept=yes; else kept=no; fi
            kill -s KILL $! 2>/dev/null
            wait
            if [ $kept = no ]; then rm -r "$PWD"; fi
        "#;
        let mut shell = command_of("sh")
            .args(["-c", HOLD, "sh"])
            .arg(&recipe.program)
            .args(recipe.role.args(port))
            .args(["--bind", "127.0.0.1", "--unixsocket", SOCKET, "--daemonize", "no"])
            .args(&recipe.args)
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

    /// Keeps the server's files after its end.
    pub(super) fn keep_files(&mut self) {
        // If the shell has ended, the server has ended too.
        let _ = self.shell.stdin.as_mut().unwrap().write_all(b"keep\n");
    }

    pub(super) fn has_ended(&self) -> bool {
        // An ended process without a `wait` is a zombie, which has no mapped memory.
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.server_id)).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    }

    pub(super) fn signal(&self, name: &str) {
        signal(self.server_id, name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // At the end of its input, the shell kills the server.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
