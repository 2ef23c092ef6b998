//! Programs that end with their test.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// The variables that a program needs to find other programs and folders.
pub const KEPT: [&str; 3] = ["HOME", "PATH", "TMPDIR"];

/// A running program with a separate directory. When this value is dropped or the test's process
/// ends, the program ends too, with all its child processes and its directory.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    directory: PathBuf,
    guard: Child,
}

impl Program {
    /// Starts the program in its directory. Read the standard output with
    /// [`line_after`](Self::line_after).
    pub fn start(command: &mut Command) -> Self {
        let directory = fresh_directory();
        let mut child = command
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let guard = guard(&child, &directory);
        Self { child, output, directory, guard }
    }

    /// Returns the working directory of the program.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stops the program (`SIGSTOP`), like a machine that is suspended.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Waits until the program prints a line with this text, and returns the rest of the line.
    pub fn line_after(&mut self, text: &str) -> String {
        self.line_or_end(text).unwrap_or_else(|printed| {
            panic!("the program ended before it printed `{text}`: {printed}");
        })
    }

    /// Does the same as [`line_after`](Self::line_after). If the program ends before, the error is
    /// what it printed.
    pub fn line_or_end(&mut self, text: &str) -> Result<String, String> {
        let mut printed = String::new();
        loop {
            let start = printed.len();
            if self.output.read_line(&mut printed).unwrap() == 0 {
                return Err(printed);
            }
            if let Some((_, rest)) = printed[start..].split_once(text) {
                return Ok(rest.trim_end().to_owned());
            }
        }
    }

    fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }
}

/// Sends a signal to a running process.
pub fn signal(process: u32, name: &str) {
    let id = process.to_string();
    let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status();
    assert!(status.unwrap().success(), "the process is there to be signalled");
}

impl Drop for Program {
    fn drop(&mut self) {
        // The end of its input stops the guard.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = self.child.wait();
    }
}

/// Starts a shell that waits for the end of its input. The input ends when the test drops it or the
/// test's process ends. The shell then kills the program's process group and removes the directory.
fn guard(child: &Child, directory: &Path) -> Child {
    const GUARD: &str = r#"
        read -r _
        kill -s KILL -- "-$1"
        rm -rf "$2" || { sleep 1; rm -rf "$2"; }
    "#;
    Command::new("sh")
        .args(["-c", GUARD, "sh", &child.id().to_string()])
        .arg(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A signal to the test's process group, such as ^C, must not end the clean-up.
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Returns a command whose environment is the same on every machine: of the test's own variables,
/// it has only those of [`KEPT`].
pub fn command_of(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let kept = KEPT.iter().filter_map(|variable| Some((variable, env::var_os(variable)?)));
    command.env_clear().envs(kept);
    command
}

/// Builds a program of the workspace if necessary, and returns its path. `kind` is `--example` or
/// `--bin`.
///
/// Cargo knows the path. In a run of `tests/run`, the program is already built. Another selection
/// of packages would build their dependencies again, with other features.
pub fn executable(kind: &str, name: &str) -> PathBuf {
    let output = cargo()
        .args(["build", "--workspace", "--exclude", "session-perf", "--all-features", "--locked"])
        .args([kind, name])
        .args(["--quiet", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{name} does not build");
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let built = |message: Value| {
        (message["target"]["name"] == name)
            .then(|| message["executable"].as_str().map(PathBuf::from))?
    };
    messages.into_iter().find_map(built).unwrap()
}

/// Returns the Cargo that runs the tests.
///
/// It gives a test variables about the package, which the build script of `ring` asks for. With
/// them, another Cargo would build `ring` again, and all that depends on it.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") {
            command.env_remove(&variable);
        }
    }
    command
}

fn fresh_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory =
        env::temp_dir().join(format!("session-program-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    directory
}
