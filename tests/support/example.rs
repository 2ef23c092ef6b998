//! The programs in `examples/`, started like a user starts them.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::Program;

/// A running example on a free port.
#[derive(Debug)]
pub struct Example {
    program: Program,
    url: String,
}

impl Example {
    /// Builds the example if necessary, and starts it with only these environment variables of
    /// ours.
    pub fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_with(name, &[], variables)
    }

    /// Starts the example with options on the command line.
    pub fn start_with(name: &str, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut program = Program::start(&mut command(name, options, variables));
        let url = program.line_after("listening on ");
        Self { program, url }
    }

    /// Waits until the example prints a line with this text, and returns the rest of the line.
    pub fn line_after(&mut self, text: &str) -> String {
        self.program.line_after(text)
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Returns the command that starts an example.
pub fn command(name: &str, options: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(executable(name));
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if ["OTEL_", "SESSION_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&variable);
        }
    }
    command.args(options).env("LISTEN", "127.0.0.1:0").envs(variables.iter().copied());
    command
}

/// Cargo knows the path. In a run of `tests/run`, the example is already built. Another selection
/// of packages would build their dependencies again, with other features.
fn executable(name: &str) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--workspace", "--exclude", "session-perf", "--all-features", "--locked"])
        .args(["--example", name])
        .args(["--quiet", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the example {name} does not build");
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let built = |message: Value| {
        (message["target"]["name"] == name)
            .then(|| message["executable"].as_str().map(PathBuf::from))?
    };
    messages.into_iter().find_map(built).unwrap()
}
