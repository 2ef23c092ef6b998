//! The findings, as lines or as one object.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::output::{Output, Safe};
use crate::error::Error;

/// A check. The names in JSON are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    Connection,
    Permissions,
    Scripts,
    FieldExpiry,
    Index,
    Walk,
    Show,
    Clock,
    Eviction,
    Probe,
    Tracking,
}

/// All checks, in order.
pub(super) const CHECKS: [Check; 11] = [
    Check::Connection,
    Check::Permissions,
    Check::Scripts,
    Check::FieldExpiry,
    Check::Index,
    Check::Walk,
    Check::Show,
    Check::Clock,
    Check::Eviction,
    Check::Probe,
    Check::Tracking,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Ok,
    Warning,
    Failed,
    /// The check could not be made, for the reason that another check names.
    Skipped,
}

/// The result of a check.
#[derive(Debug)]
pub(super) struct Finding {
    status: Status,
    message: String,
    is_unavailable: bool,
}

impl Finding {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), is_unavailable: false }
    }

    pub(super) fn ok(message: impl Into<String>) -> Self {
        Self::new(Status::Ok, message)
    }

    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self::new(Status::Warning, message)
    }

    pub(super) fn skipped(message: impl Into<String>) -> Self {
        Self::new(Status::Skipped, message)
    }

    pub(super) fn of(checked: Result<(), Error>, fine: &str) -> Self {
        checked.map_or_else(Self::from, |()| Self::ok(fine))
    }

    pub(super) fn of_problems(problems: &[String], fine: &str) -> Self {
        match problems {
            [] => Self::ok(fine),
            problems => Self::new(Status::Failed, problems.join(". ")),
        }
    }

    /// Returns the finding of a check that not every application needs to pass.
    pub(super) fn only_a_warning(mut self) -> Self {
        if self.status == Status::Failed {
            self.status = Status::Warning;
        }
        self
    }
}

impl From<Error> for Finding {
    fn from(error: Error) -> Self {
        let is_unavailable = error.is_unavailable();
        Self { status: Status::Failed, message: error.to_string(), is_unavailable }
    }
}

/// Writes each finding at once, or all as one object.
pub(super) struct Report<'a> {
    output: &'a mut Output,
    checks: Vec<Reported>,
    failed: usize,
    is_unavailable: bool,
}

#[derive(Serialize)]
struct Reported {
    name: Check,
    status: Status,
    message: String,
}

#[derive(Serialize)]
struct Checks<'a> {
    checks: &'a [Reported],
}

impl<'a> Report<'a> {
    pub(super) fn new(output: &'a mut Output) -> Self {
        Self { output, checks: Vec::new(), failed: 0, is_unavailable: false }
    }

    pub(super) fn add(&mut self, name: Check, finding: Finding) -> Result<(), Failure> {
        let Finding { status, message, is_unavailable } = finding;
        self.failed += usize::from(status == Status::Failed);
        self.is_unavailable |= is_unavailable;
        if !self.output.is_json() {
            self.output.text(line(name, status, &message))?;
        }
        self.checks.push(Reported { name, status, message });
        Ok(())
    }

    /// Fails if a check failed.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if self.output.is_json() {
            self.output.result(&Checks { checks: &self.checks }, "")?;
        }
        match self.failed {
            0 => Ok(()),
            failed => Err(Failure::Checks { failed, is_unavailable: self.is_unavailable }),
        }
    }
}

fn line(name: Check, status: Status, message: &str) -> String {
    let (word, colour) = match status {
        Status::Ok => ("ok", AnsiColor::Green),
        Status::Warning => ("warning", AnsiColor::Yellow),
        Status::Failed => ("failed", AnsiColor::Red),
        Status::Skipped => ("skipped", AnsiColor::BrightBlack),
    };
    let style = Style::new().fg_color(Some(colour.into()));
    // A server chooses parts of the message, such as its version.
    format!("{style}{word:<7}{style:#}  {:<12}  {}", name.title(), Safe(message))
}

impl Check {
    fn title(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Permissions => "permissions",
            Self::Scripts => "scripts",
            Self::FieldExpiry => "field expiry",
            Self::Index => "index",
            Self::Walk => "walk",
            Self::Show => "show",
            Self::Clock => "clock",
            Self::Eviction => "eviction",
            Self::Probe => "probe",
            Self::Tracking => "tracking",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_server_cannot_change_a_terminal() {
        let shown = line(Check::Connection, Status::Ok, "redis \x1b[2J7 at \u{202e}host");
        assert!(shown.ends_with("  redis \\u{1b}[2J7 at \\u{202e}host"), "{shown}");
    }
}
