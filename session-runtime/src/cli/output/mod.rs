//! The results of commands, as text or as JSON.

mod histogram;
mod message;
mod safe;
mod time;

use std::fmt;
use std::io::{self, Write};

use anstream::AutoStream;
use anstyle::Style;
use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

pub(super) use self::histogram::{Bytes, Histogram};
pub(super) use self::message::{hint, tell};
use self::safe::SafeJson;
pub(super) use self::safe::{Safe, SafeLines};
pub(super) use self::time::{Span, Time};
use super::failure::Failure;

/// Standard output. Colours appear only in a terminal, and not with `NO_COLOR`.
pub(super) struct Output {
    is_json: bool,
    stdout: AutoStream<io::Stdout>,
}

impl Output {
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, stdout: anstream::stdout() }
    }

    pub(super) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Returns the width of the terminal, or a usual width without a terminal.
    pub(super) fn width(&self) -> usize {
        const USUAL: usize = 80;
        terminal_size_of(io::stdout()).map_or(USUAL, |(Width(width), _)| usize::from(width))
    }

    /// Writes a result: a line of JSON, or the text.
    pub(super) fn result(
        &mut self,
        result: &impl Serialize,
        text: impl fmt::Display,
    ) -> Result<(), Failure> {
        match self.is_json {
            true => self.json(result),
            false => self.text(text),
        }
    }

    /// Writes a line of text.
    pub(super) fn text(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.stdout, "{text}")?)
    }

    /// Writes a line of text in bold.
    pub(super) fn heading(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        let bold = Style::new().bold();
        self.text(format_args!("{bold}{text}{bold:#}"))
    }

    /// Writes bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = self.stdout.as_inner();
        stdout.write_all(bytes)?;
        Ok(stdout.flush()?)
    }

    /// Writes a line of JSON. Styles would be removed from text, and JSON has to stay as it is.
    fn json(&mut self, result: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(result).map_err(io::Error::from)?;
        Ok(writeln!(self.stdout.as_inner(), "{}", SafeJson(&line))?)
    }
}
