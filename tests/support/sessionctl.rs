//! The program `sessionctl`, run like an operator runs it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;

use crate::program::{command_of, executable};

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| executable("--bin", "sessionctl"));

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The exit code. `None` after a signal.
    pub code: Option<i32>,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl Run {
    /// Returns the standard output of a run that succeeded without a message.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.code == Some(0) && self.stderr.is_empty(), "{self:?}");
        self.stdout
    }

    /// Returns the standard error of a run that ended with this code and without a result.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        assert!(self.code == Some(code) && self.stdout.is_empty(), "{self:?}");
        self.stderr
    }

    /// Returns the JSON of the only line on the standard output.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

/// Runs the program without a terminal, with an empty standard input, and without the test's own
/// variables.
pub fn run(args: &[&str]) -> Run {
    run_with(args, &[])
}

/// Runs the program with these variables.
pub fn run_with(args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = command(args);
    command.envs(variables.iter().copied());
    start(command).end()
}

/// Returns the command that runs the program, without the test's own variables.
pub fn command(args: &[&str]) -> Command {
    let mut command = command_of(&*PROGRAM);
    command.args(args);
    command
}

/// Starts the program with pipes.
pub fn start(mut command: Command) -> Running {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    Running { child: Some(child), stdin }
}

/// A running program. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Option<Child>,
    stdin: Option<ChildStdin>,
}

impl Running {
    /// Writes to the standard input.
    pub fn write(&mut self, text: &str) {
        self.stdin.as_mut().expect("the input is open").write_all(text.as_bytes()).unwrap();
    }

    /// Returns the running process.
    pub fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("the program was not awaited")
    }

    /// Kills the program (`SIGKILL`), and returns its output up to then.
    pub fn kill(mut self) -> Run {
        let _ = self.child().kill();
        self.end()
    }

    /// Closes the standard input, and waits for the end of the program.
    pub fn end(mut self) -> Run {
        drop(self.stdin.take());
        let output = self.child.take().expect("awaited once").wait_with_output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
