//! `sessionctl count`.

use std::collections::HashSet;

use serde::Serialize;

use super::args::CountArgs;
use super::failure::Failure;
use super::output::Output;
use super::walk::Walk;
use crate::session::sessions::Sessions;

#[derive(Serialize)]
struct Count {
    sessions: usize,
}

pub(super) async fn run(
    sessions: &Sessions,
    args: CountArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let sessions = match args.selection.query() {
        Some(query) => sessions.find(query).count().await?,
        None => count_all(Walk::new(sessions, &args.pace)).await?,
    };
    output.result(&Count { sessions }, sessions)
}

/// A walk may show a session twice.
async fn count_all(mut walk: Walk) -> Result<usize, Failure> {
    let mut ids = HashSet::new();
    while let Some(entry) = walk.next().await? {
        ids.insert(*entry.id());
    }
    Ok(ids.len())
}
