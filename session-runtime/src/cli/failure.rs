//! The errors of the program and its exit codes.

use std::fmt;
use std::io;
use std::process::ExitCode;

use anstream::eprintln;
use anstyle::{AnsiColor, Style};

use super::output::Time;
use crate::error::Error;

/// An error of the program.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Sessions(#[from] Error),
    #[error("{error}. This command needs the permissions {needs}")]
    NotPermitted { error: Error, needs: &'static str },
    #[error(
        "{0}. All other sessions were tried, and those that ended stay ended. Run the same command \
         again to end the rest"
    )]
    Unfinished(Box<Failure>),
    #[error("{0}")]
    Key(Error),
    #[error(
        "neither SESSION_SECRET nor SESSION_ENCRYPTION_KEYS is set, so there is nothing to check"
    )]
    NoKeys,
    #[error("there is no such command: `sessionctl --help` lists all commands")]
    NoCommand,
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    #[error(
        "the sessions of the store `memory:` are in the memory of the application, where no other \
         program finds them: name a Redis server with --store or SESSION_REDIS"
    )]
    MemoryStore,
    #[error("no session with {wanted} {place}")]
    NoSession { wanted: String, place: String },
    #[error("the reader of the events is too slow, so the connections were closed")]
    SlowReader,
    #[error("{} sessions have this tag: name one of them with --created{}", .0.len(), Options(.0))]
    SharedTag(Vec<Time>),
    #[error("there is no terminal to ask whether to end {0}: add --yes. Nothing was ended")]
    NoAnswer(String),
    #[error("nothing was ended")]
    Declined,
    #[error("checks that failed: {failed}")]
    Checks { failed: usize, is_unavailable: bool },
}

/// The exit code of a program that a closed pipe ended.
const BROKEN_PIPE: u8 = 141;

impl Failure {
    /// Names the permissions that a command needs, if the server refused one.
    pub(super) fn needing(self, needs: &'static str) -> Self {
        match self {
            Self::Sessions(error) if is_no_permission(&error) => {
                Self::NotPermitted { error, needs }
            }
            Self::Unfinished(failure) => Self::Unfinished(Box::new(failure.needing(needs))),
            other => other,
        }
    }

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
            Self::Unfinished(failure) => failure.code(),
            Self::Sessions(error) if error.is_unavailable() => 3,
            Self::Sessions(error) if error.is_config() => 2,
            Self::MemoryStore | Self::SharedTag(_) | Self::NoAnswer(_) | Self::NoCommand => 2,
            Self::Checks { is_unavailable: true, .. } => 3,
            Self::NoSession { .. } => 4,
            Self::Sessions(_)
            | Self::NotPermitted { .. }
            | Self::Key(_)
            | Self::NoKeys
            | Self::Output(_)
            | Self::SlowReader
            | Self::Checks { .. }
            | Self::Declined => 1,
        }
    }

    /// Returns whether the reader of the output has left, such as `head`.
    fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Returns whether the server may have refused a command for the user. Servers have no code for a
/// refusal within a script. The text is the library's own.
fn is_no_permission(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("NOPERM") || text.ends_with("the server replied with an error")
}

/// The options that name one of several sessions, each on a line.
struct Options<'a>(&'a [Time]);

impl fmt::Display for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|time| write!(f, "\n  --created {time}"))
    }
}
