//! The errors of the program and its exit codes.

use std::io;
use std::process::ExitCode;

use anstream::eprintln;
use anstyle::{AnsiColor, Style};

use crate::error::Error;

/// An error of the program.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Sessions(#[from] Error),
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    #[error(
        "the sessions of the store `memory:` are in the memory of the application, where no other \
         program finds them: name a Redis server with --store or SESSION_REDIS"
    )]
    MemoryStore,
    #[error("checks that failed: {failed}")]
    Checks { failed: usize, is_unavailable: bool },
}

/// The exit code of a program that a closed pipe ended.
const BROKEN_PIPE: u8 = 141;

impl Failure {
    /// Prints the error, and returns the exit code.
    pub(super) fn report(self) -> ExitCode {
        if !self.is_broken_pipe() {
            let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
            eprintln!("{red}error:{red:#} {self}");
        }
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            _ if self.is_broken_pipe() => BROKEN_PIPE,
            Self::Sessions(error) if error.is_unavailable() => 3,
            Self::Sessions(error) if error.is_config() => 1,
            Self::Sessions(_) | Self::Output(_) => 1,
            Self::Checks { is_unavailable: true, .. } => 3,
            Self::Checks { .. } => 1,
            Self::MemoryStore => 2,
        }
    }

    /// Returns whether the reader of the output has left, such as `head`.
    fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
