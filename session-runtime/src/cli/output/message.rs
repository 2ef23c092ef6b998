//! Messages on standard error.

use std::fmt;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};

/// Tells something beside the result.
pub(crate) fn hint(text: impl fmt::Display) {
    let yellow = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
    tell(format_args!("{yellow}hint:{yellow:#} {text}"));
}

/// Writes a line to standard error. If nobody can read it, the result still counts.
pub(crate) fn tell(line: impl fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
