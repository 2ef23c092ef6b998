//! `sessionctl watch`.

mod event;
mod memory;

use std::collections::HashSet;
use std::num::NonZero;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep, timeout_at};

use self::memory::Memory;
use super::args::WatchArgs;
use super::connection::{Opened, redis_store};
use super::failure::Failure;
use super::output::{Output, Time, tell};
use crate::error::Error;
use crate::id::SessionKey;
use crate::session::startup::Probe;
use crate::store::RedisStore;
use crate::store::redis::commands::preflight::operator::Purpose;
use crate::store::redis::{News, Told};

/// The time in which changes are gathered, to look at each session once.
const GATHER_FOR: Duration = Duration::from_millis(75);
/// About the largest number of sessions that are gathered.
const GATHER_AT_MOST: usize = 10_000;
/// The interval between questions to the servers for a sign of life.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);
/// A cluster is asked for its masters before each of so many questions.
const MASTERS_EVERY: u32 = 10;

pub(super) async fn run(
    opened: Opened,
    args: WatchArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let Opened { sessions, place } = &opened;
    let (store, prefix) = (redis_store(sessions)?, sessions.manager().prefix());
    let probe = Probe::new(sessions.manager())?;
    let problems = store.check_purpose(Purpose::Watch(probe.key())).await?;
    if !problems.is_empty() {
        return Err(Error::config(problems.join(". ")).into());
    }
    let (store, news) = store.with_broadcast(prefix);
    let begun = begin(&store).await?;
    let mut watch = Watch {
        memory: Memory::new(begun),
        gap: Gap { fine_until: SystemTime::now(), is_open: false },
        left: args.limit.map_or(u64::MAX, NonZero::get),
        changed: HashSet::new(),
        store,
        news,
        prefix,
        output,
    };
    tell(format_args!("watching the sessions {place}"));
    watch.run().await
}

/// Opens the connections. Returns the time from which on all creations are told: the beginning of
/// the next second, because an id has its creation time in seconds.
async fn begin(store: &RedisStore) -> Result<SystemTime, Failure> {
    store.ask_each_for_life(true).await.map_err(Error::from)?;
    let now = store.time().await.map_err(Error::from)?;
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let begun = Duration::from_secs(since.as_secs() + 1);
    sleep(begun - since).await;
    Ok(UNIX_EPOCH + begun)
}

struct Watch<'a> {
    store: RedisStore,
    news: News,
    prefix: &'a str,
    output: &'a mut Output,
    memory: Memory,
    gap: Gap,
    /// The number of events that are still to be printed.
    left: u64,
    /// The keys that have changed, and were not looked at since.
    changed: HashSet<String>,
}

/// The time in which news may have been lost.
struct Gap {
    fine_until: SystemTime,
    is_open: bool,
}

impl Watch<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        // Connections that have just been opened are no loss.
        self.take_waiting()?;
        self.gap.is_open = false;
        let (mut questions, mut next_question) = (0, Instant::now());
        while self.left > 0 {
            if next_question <= Instant::now() {
                self.ask_for_life(questions % MASTERS_EVERY == 0).await?;
                questions += 1;
                next_question = Instant::now() + BETWEEN_QUESTIONS;
            }
            if let Ok(told) = timeout_at(next_question, self.news.next()).await {
                self.note(told)?;
                self.gather().await?;
            }
            self.look().await?;
        }
        Ok(())
    }

    /// Keeps the connections open, and notices new masters.
    async fn ask_for_life(&mut self, anew: bool) -> Result<(), Failure> {
        let asked_at = SystemTime::now();
        let answered = self.store.ask_each_for_life(anew).await;
        self.take_waiting()?;
        if answered.is_err() {
            self.gap.is_open = true;
            return Ok(());
        }
        if std::mem::take(&mut self.gap.is_open) {
            let (from, to) = (Time(self.gap.fine_until), Time(SystemTime::now()));
            tell(format_args!("warning: events may be missing from {from} to {to}"));
        }
        self.gap.fine_until = asked_at;
        Ok(())
    }

    async fn gather(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + GATHER_FOR;
        while self.changed.len() < GATHER_AT_MOST
            && let Ok(told) = timeout_at(until, self.news.next()).await
        {
            self.note(told)?;
        }
        Ok(())
    }

    fn take_waiting(&mut self) -> Result<(), Failure> {
        while let Some(told) = self.news.next_now() {
            self.note(told)?;
        }
        Ok(())
    }

    fn note(&mut self, told: Told) -> Result<(), Failure> {
        match told {
            Told::Changed(keys) => self.changed.extend(keys),
            Told::Begun | Told::Lost => self.gap.is_open = true,
            Told::Emptied => {
                self.memory.clear();
                self.changed.clear();
                tell("warning: all keys of a server were deleted, such as by FLUSHALL");
            }
            Told::Refused => {
                return Err(Error::config(
                    "the Redis server does not tell of changes: grant +client|tracking to the \
                     Redis user",
                )
                .into());
            }
        }
        self.gap.is_open |= self.news.has_overflown();
        Ok(())
    }

    /// Looks at the sessions that have changed, and prints the events.
    async fn look(&mut self) -> Result<(), Failure> {
        let prefix = self.prefix;
        let id = |key: &str| SessionKey::id_in(prefix, key);
        let keys = self.changed.drain().filter(|key| id(key).is_some());
        let keys: Vec<_> = keys.collect();
        let states = match self.store.states(keys).await {
            Ok(states) => states,
            Err(error) if error.is_unavailable() => {
                self.gap.is_open = true;
                return Ok(());
            }
            Err(error) => return Err(Error::from(error).into()),
        };
        let states = states.into_iter().filter_map(|(key, state)| Some((id(&key)?, state)));
        for event in self.memory.events(states.collect(), SystemTime::now()) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            self.output.result(&event, &event)?;
        }
        Ok(())
    }
}
