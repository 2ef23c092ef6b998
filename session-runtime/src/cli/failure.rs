//! The errors of the program and its exit codes.

use std::fmt;
use std::io;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::message::tell;
use super::safe::SafeLines;
use super::time::Time;
use crate::error::Error;
use crate::store::redis::Lack;

/// An error of the program.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Sessions(#[from] Error),
    #[error(
        "{error}. This command {} the permissions {needs}, on the keys ~PREFIX:sessions:*",
        .lack.verb()
    )]
    NotPermitted { error: Error, needs: &'static str, lack: Lack },
    #[error("{0}. Sessions that have ended stay ended. Run the same command again to end the rest")]
    Unfinished(Box<Failure>),
    #[error("{0}")]
    Key(Error),
    #[error(
        "neither SESSION_SECRET nor SESSION_ENCRYPTION_KEYS is set, so there is nothing to check"
    )]
    NoKeys,
    #[error("there is no such command: `sessionctl --help` lists all commands")]
    NoCommand,
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error("cannot read the answer: {0}. Nothing was ended")]
    Answer(io::Error),
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    #[error(
        "the sessions of the store `memory:` are in the memory of the application, where no other \
         program finds them: name a Redis server with --store or SESSION_REDIS"
    )]
    MemoryStore,
    #[error("no session with {wanted} {place}")]
    NoSession { wanted: String, place: String },
    #[error("{0}")]
    Refused(String),
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
            Self::Sessions(error) => match Lack::in_error(&error) {
                Some(lack) => Self::NotPermitted { error, needs, lack },
                None => Self::Sessions(error),
            },
            Self::Unfinished(failure) => Self::Unfinished(Box::new(failure.needing(needs))),
            other => other,
        }
    }

    /// Prints the error, and returns the exit code.
    pub(super) fn report(self) -> ExitCode {
        if !self.is_broken_pipe() {
            let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
            tell(format_args!("{red}error:{red:#} {}", self.message()));
        }
        ExitCode::from(self.code())
    }

    /// Returns the text for a terminal. Servers may have chosen parts of it.
    fn message(&self) -> String {
        SafeLines(&self.to_string()).to_string()
    }

    fn code(&self) -> u8 {
        match self {
            _ if self.is_broken_pipe() => BROKEN_PIPE,
            Self::Unfinished(failure) => failure.code(),
            Self::Sessions(error) if error.is_unavailable() => 3,
            Self::Sessions(error) if error.is_config() => 2,
            Self::MemoryStore
            | Self::SharedTag(_)
            | Self::NoAnswer(_)
            | Self::Answer(_)
            | Self::NoCommand => 2,
            Self::Checks { is_unavailable: true, .. } => 3,
            Self::NoSession { .. } => 4,
            Self::Sessions(_)
            | Self::NotPermitted { .. }
            | Self::Key(_)
            | Self::Runtime(_)
            | Self::NoKeys
            | Self::Output(_)
            | Self::SlowReader
            | Self::Refused(_)
            | Self::Checks { .. }
            | Self::Declined => 1,
        }
    }

    /// Returns whether the reader of the output has left, such as `head`.
    fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl Lack {
    fn verb(self) -> &'static str {
        match self {
            Self::Certain => "needs",
            Self::Possible => "may need",
        }
    }
}

/// The options that name one of several sessions, each on a line.
struct Options<'a>(&'a [Time]);

impl fmt::Display for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|time| write!(f, "\n  --created {time}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_change_a_terminal() {
        let version = "7\x1b[2J\u{202e}";
        let failure = Failure::from(Error::config(version));
        assert_eq!(failure.message(), "7\\u{1b}[2J\\u{202e}");
        let shared = Failure::SharedTag(vec![Time(std::time::UNIX_EPOCH)]);
        assert!(shared.message().ends_with("\n  --created 1970-01-01T00:00:00Z"));
    }

    #[test]
    fn permissions_are_named_if_one_may_lack() {
        for (lack, text) in [
            (
                Lack::Certain,
                "x. This command needs the permissions +get, on the keys ~PREFIX:sessions:*",
            ),
            (
                Lack::Possible,
                "x. This command may need the permissions +get, on the keys ~PREFIX:sessions:*",
            ),
        ] {
            let failure = Failure::NotPermitted { error: Error::config("x"), needs: "+get", lack };
            assert_eq!(failure.message(), text);
        }
        let quoted = Failure::from(Error::config("NOPERM")).needing("+get");
        assert_eq!(quoted.message(), "NOPERM");
    }
}
