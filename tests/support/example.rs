//! The programs in `examples/`, started like a user starts them.

use std::process::Command;

use crate::program::{Program, command_of, executable};

/// A running example on a free port.
#[derive(Debug)]
pub struct Example {
    program: Program,
    url: String,
}

impl Example {
    /// Builds the example if necessary, and starts it with only these environment variables.
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
    let mut command = command_of(executable("--example", name));
    command.args(options).env("LISTEN", "127.0.0.1:0").envs(variables.iter().copied());
    command
}
