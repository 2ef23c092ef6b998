//! `sessionctl count`.

use std::collections::HashSet;

use serde::Serialize;

use super::args::CountArgs;
use super::connection::Opened;
use super::failure::Failure;
use super::output::{Output, hint};
use super::walk::Walk;

#[derive(Serialize)]
struct Count {
    sessions: usize,
}

pub(super) async fn run(
    opened: Opened,
    args: CountArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let Opened { sessions, place } = &opened;
    let count = match args.selection.query() {
        Some(query) => sessions.find(query).count().await?,
        None => count_all(Walk::new(sessions, &args.pace)).await?,
    };
    output.result(&Count { sessions: count }, count)?;
    if count == 0 {
        hint(args.selection.nothing_found(place));
    }
    Ok(())
}

/// A walk may show a session twice.
async fn count_all(mut walk: Walk<'_>) -> Result<usize, Failure> {
    let mut ids = HashSet::new();
    while let Some(entry) = walk.next().await? {
        ids.insert(*entry.id());
    }
    Ok(ids.len())
}
