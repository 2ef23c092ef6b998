//! `sessionctl list`.

use serde::Serialize;

use super::args::ListArgs;
use super::failure::Failure;
use super::output::{Output, Span, Time};
use super::untyped::Untyped;
use super::walk::Walk;
use crate::session::found::SessionEntry;
use crate::session::sessions::Sessions;

/// A session in a list.
#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) tag: String,
    pub(super) created_at: Time,
    /// The earliest time of the last use, if known.
    pub(super) last_used_at: Option<Time>,
    /// `None` for a session that never expires.
    pub(super) expires_in_seconds: Option<u64>,
    /// The time of the last write of the indexed field, if known.
    pub(super) signed_in_at: Option<Time>,
}

impl Listed {
    pub(super) fn new(entry: &SessionEntry<Untyped>) -> Self {
        Self {
            tag: entry.tag().to_owned(),
            created_at: Time(entry.created_at()),
            last_used_at: entry.last_used().map(|used| Time(used.at)),
            expires_in_seconds: Span(entry.expires_in()).seconds(),
            signed_in_at: entry.signed_in_at().map(Time),
        }
    }
}

const HEADING: &str = "TAG       CREATED               LAST USED             EXPIRES IN";

pub(super) async fn run(
    sessions: &Sessions,
    args: ListArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let most = args.limit.unwrap_or(usize::MAX);
    if !output.is_json() {
        output.text(HEADING)?;
    }
    if let Some(query) = args.selection.query() {
        for entry in sessions.find(query).limit(most).list().await? {
            write(output, &entry)?;
        }
        return Ok(());
    }
    let mut walk = Walk::new(sessions, &args.pace);
    for _ in 0..most {
        let Some(entry) = walk.next().await? else { break };
        walk.suspend(|| write(output, &entry))?;
    }
    Ok(())
}

fn write(output: &mut Output, entry: &SessionEntry<Untyped>) -> Result<(), Failure> {
    let listed = Listed::new(entry);
    let last_used = listed.last_used_at.map_or("-".to_owned(), |time| time.to_string());
    let (tag, created) = (&listed.tag, listed.created_at);
    let expires_in = Span(entry.expires_in());
    output.result(&listed, format_args!("{tag:<8}  {created}  {last_used:<20}  {expires_in}"))
}
