//! `sessionctl stats`.

mod tally;

use self::tally::Tally;
use super::args::StatsArgs;
use super::connection::{Opened, redis_store};
use super::failure::Failure;
use super::output::{Output, hint};
use super::seen::Seen;
use super::walk::Steps;
use crate::error::Error;
use crate::session::sessions::Sessions;

pub(super) async fn run(
    opened: Opened,
    args: StatsArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let Opened { sessions, place } = &opened;
    let tally = count(sessions, Steps::new(&args.pace, false)).await?;
    output.result(&tally, tally.shown(output.width()))?;
    if tally.is_empty() {
        hint(format_args!("there are no keys {place}. The prefix is a setting of the application"));
    }
    if tally.lacks_bytes() {
        hint("the bytes are unknown: grant +memory|usage to the Redis user");
    }
    Ok(())
}

async fn count(sessions: &Sessions, mut steps: Steps) -> Result<Tally, Failure> {
    let (store, manager) = (redis_store(sessions)?, sessions.manager());
    let (mut tally, mut seen) = (Tally::default(), Seen::default());
    let mut from = None;
    loop {
        steps.begin(sessions).await?;
        let page = store.census(manager.prefix(), from.as_ref(), steps.keys_in_step()).await;
        let page = page.map_err(Error::from)?;
        let now = manager.now();
        for key in page.keys.iter().filter(|key| seen.insert(&key.name)) {
            tally.add(key, manager, now);
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(tally),
        }
    }
}
