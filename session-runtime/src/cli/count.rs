//! `sessionctl count`.

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

async fn count_all(mut walk: Walk<'_>) -> Result<usize, Failure> {
    let mut count = 0;
    while walk.next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}
