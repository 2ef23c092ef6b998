//! `sessionctl list`.

use std::fmt;
use std::num::NonZero;
use std::time::Duration;

use serde::Serialize;

use super::args::ListArgs;
use super::connection::Opened;
use super::failure::Failure;
use super::output::{Output, Span, Time, hint};
use super::untyped::Untyped;
use super::walk::Walk;
use crate::session::found::SessionEntry;

/// A session without its fields.
#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) tag: String,
    pub(super) created_at: Time,
    /// The earliest time of the last use, if known.
    pub(super) last_used_at: Option<Time>,
    /// `None` for a session that never expires.
    pub(super) expires_in_seconds: Option<u64>,
}

impl Summary {
    pub(super) fn new(entry: &SessionEntry<Untyped>) -> Self {
        Self {
            tag: entry.tag().to_owned(),
            created_at: Time(entry.created_at()),
            last_used_at: last_used_at(entry),
            expires_in_seconds: Span(entry.expires_in()).seconds(),
        }
    }

    pub(super) fn expires_in(&self) -> Span {
        Span(self.expires_in_seconds.map_or(Duration::MAX, Duration::from_secs))
    }
}

/// Returns the time of the last use. A time before the creation proves that the lifetimes here are
/// not those of the application, so the last use is unknown.
fn last_used_at(entry: &SessionEntry<Untyped>) -> Option<Time> {
    let used = entry.last_used()?.at;
    (used >= entry.created_at()).then_some(Time(used))
}

/// A session in a list.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    summary: Summary,
    /// The time of the last write of the indexed field, if known.
    signed_in_at: Option<Time>,
}

impl Listed {
    fn new(entry: &SessionEntry<Untyped>) -> Self {
        Self { summary: Summary::new(entry), signed_in_at: entry.signed_in_at().map(Time) }
    }
}

pub(super) async fn run(
    opened: Opened,
    args: ListArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let Opened { sessions, place } = &opened;
    let most = args.limit.map_or(usize::MAX, NonZero::get);
    let mut listed = 0;
    if let Some(query) = args.selection.query() {
        for entry in sessions.find(query).limit(most).list().await? {
            write(output, &mut listed, &Listed::new(&entry), true)?;
        }
    } else {
        let mut walk = Walk::new(sessions, &args.pace);
        while listed < most
            && let Some(entry) = walk.next().await?
        {
            walk.suspend(|| write(output, &mut listed, &Listed::new(&entry), false))?;
        }
    }
    if listed == 0 {
        hint(args.selection.nothing_found(place));
    }
    Ok(())
}

/// Writes a session, and the heading before the first.
fn write(
    output: &mut Output,
    listed: &mut usize,
    session: &Listed,
    has_index: bool,
) -> Result<(), Failure> {
    if *listed == 0 && !output.is_json() {
        let last = if has_index { "EXPIRES IN     SIGNED IN" } else { "EXPIRES IN" };
        output.heading(format_args!(
            "{:<8}  {:<20}  {:<20}  {last}",
            "TAG", "CREATED", "LAST USED"
        ))?;
    }
    *listed += 1;
    output.result(session, Line { session, has_index })
}

/// A line of the table.
struct Line<'a> {
    session: &'a Listed,
    has_index: bool,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Listed { summary, signed_in_at } = self.session;
        let Summary { tag, created_at, last_used_at, .. } = summary;
        let (used, expires_in) = (OrUnknown(*last_used_at), summary.expires_in());
        write!(f, "{tag:<8}  {created_at:<20}  {used:<20}  ")?;
        match self.has_index {
            true => write!(f, "{expires_in:<13}  {}", OrUnknown(*signed_in_at)),
            false => write!(f, "{expires_in}"),
        }
    }
}

/// A time that may not be known.
pub(super) struct OrUnknown(pub(super) Option<Time>);

impl fmt::Display for OrUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => f.pad(&time.to_string()),
            None => f.pad("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_time_that_cannot_be_shown_keeps_the_columns() {
        let far = UNIX_EPOCH + Duration::from_secs(1 << 50);
        let [shown, other] = [UNIX_EPOCH, far].map(|created| {
            let summary = Summary {
                tag: "aB3_-xyz".to_owned(),
                created_at: Time(created),
                last_used_at: None,
                expires_in_seconds: None,
            };
            let session = &Listed { summary, signed_in_at: None };
            Line { session, has_index: false }.to_string()
        });
        assert_eq!(shown.find("unknown"), other.find("unknown"), "{shown}\n{other}");
    }
}
