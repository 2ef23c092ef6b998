//! `sessionctl stats`.

mod tally;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use self::tally::Tally;
use super::args::StatsArgs;
use super::connection::redis_store;
use super::failure::Failure;
use super::output::Output;
use super::walk::{Pace, progress_bar};
use crate::error::Error;
use crate::session::sessions::Sessions;

pub(super) async fn run(
    sessions: &Sessions,
    args: StatsArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let tally = count(sessions, Pace::new(&args.pace)).await?;
    match output.is_json() {
        true => output.result(&tally, ""),
        false => output.text(tally.shown(sessions.manager().prefix(), output.width())),
    }
}

async fn count(sessions: &Sessions, mut pace: Pace) -> Result<Tally, Failure> {
    let (store, manager) = (redis_store(sessions)?, sessions.manager());
    let (mut tally, mut seen) = (Tally::default(), Seen::default());
    let progress = progress_bar("keys");
    let mut from = None;
    loop {
        pace.next_page().await;
        let page = store.census(manager.prefix(), from.as_ref(), pace.page()).await;
        let page = page.map_err(Error::from)?;
        let now = manager.now();
        for key in page.keys.iter().filter(|key| seen.insert(&key.name)) {
            tally.add(key, manager, now);
            progress.inc(1);
        }
        pace.looked_at(page.keys.len());
        from = Some(match page.next {
            Some(next) => next,
            None => break,
        });
    }
    progress.finish_and_clear();
    Ok(tally)
}

/// The keys that were counted. A walk may show a key twice. Of each key, a hash is enough: among a
/// million keys, two have the same hash once in ten million walks.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// Returns whether the key is new.
    fn insert(&mut self, key: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(key))
    }
}
