//! `sessionctl watch`.

mod clock;
mod event;
mod memory;
mod printer;

use std::collections::HashSet;
use std::num::NonZero;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep, timeout_at};

use self::clock::{Clock, Moment};
use self::memory::Memory;
use self::printer::Printer;
use super::args::WatchArgs;
use super::connection::{Opened, Place, redis_store};
use super::failure::Failure;
use super::output::Output;
use super::time::Time;
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
    let Opened { sessions, place, .. } = &opened;
    let (store, prefix) = (redis_store(sessions)?, sessions.manager().prefix());
    let probe = Probe::new(sessions.manager())?;
    let problems = store.check_purpose(Purpose::Watch(probe.key())).await?;
    if !problems.is_empty() {
        return Err(Failure::Refused(problems.join(". ")));
    }
    let (store, news) = store.with_broadcast(prefix);
    let mut printer = Printer::start(output.is_json())?;
    let left = args.limit.map_or(u64::MAX, NonZero::get);
    let watched = watch(store, news, prefix, left, place, &mut printer).await;
    // The connections are closed by now, however long the reader takes for the last lines.
    match watched {
        Err(Failure::SlowReader) => watched,
        watched => printer.finish().await.and(watched),
    }
}

/// Prints events until enough were printed.
async fn watch(
    store: RedisStore,
    news: News,
    prefix: &str,
    left: u64,
    place: &Place,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let clock = Clock::showing(SystemTime::now());
    let mut watch = Watch {
        memory: Memory::new(clock.now()),
        gap: Gap::new(clock.now()),
        clock,
        changed: HashSet::new(),
        store,
        news,
        prefix,
        left,
        printer,
    };
    watch.begin().await?;
    watch.gap = Gap { is_open: watch.gap.is_open, ..Gap::new(watch.clock.now()) };
    watch.printer.note(format!("watching the sessions {place}")).await?;
    watch.run().await
}

struct Watch<'a> {
    store: RedisStore,
    news: News,
    prefix: &'a str,
    printer: &'a mut Printer,
    memory: Memory,
    gap: Gap,
    clock: Clock,
    /// The number of events that are still to be printed.
    left: u64,
    /// The keys that have changed, and were not looked at since.
    changed: HashSet<String>,
}

/// The time in which news may have been lost.
struct Gap {
    /// The time up to which all events were told.
    told_until: SystemTime,
    /// The time of the last question that every server answered.
    answered_at: SystemTime,
    is_open: bool,
}

impl Gap {
    fn new(now: Moment) -> Self {
        Self { told_until: now.time, answered_at: now.time, is_open: false }
    }
}

impl Watch<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        let (mut questions, mut next_question) = (0, Instant::now());
        while self.left > 0 {
            if next_question <= Instant::now() {
                self.printer.check_reader()?;
                self.ask_for_life(questions % MASTERS_EVERY == 0).await?;
                questions += 1;
                next_question = Instant::now() + BETWEEN_QUESTIONS;
            }
            if let Ok(told) = timeout_at(next_question, self.news.next()).await {
                self.note(told).await?;
                self.gather().await?;
            }
            self.look().await?;
        }
        Ok(())
    }

    /// Begins to tell events, with the next second of the server, because an id has its creation
    /// time in seconds. Nothing is known of the time before.
    async fn begin(&mut self) -> Result<(), Failure> {
        self.take_waiting().await?;
        self.gap.is_open = false;
        self.store.ask_each_for_life(true).await.map_err(Error::from)?;
        self.clock = Clock::showing(self.store.time().await.map_err(Error::from)?);
        self.take_opening().await?;
        let now = self.clock.now();
        let since = now.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let begun = Duration::from_secs(since.as_secs().saturating_add(1));
        sleep(begun.saturating_sub(since)).await;
        let begun = UNIX_EPOCH.checked_add(begun).unwrap_or(now.time);
        self.memory = Memory::new(Moment { time: begun, at: Instant::now() });
        Ok(())
    }

    /// Takes the news of connections that have just been opened, which is no loss.
    async fn take_opening(&mut self) -> Result<(), Failure> {
        while let Some(told) = self.news.next_now() {
            if !matches!(told, Told::Begun) {
                self.note(told).await?;
            }
        }
        self.changed.clear();
        Ok(())
    }

    /// Keeps the connections open, and notices new masters.
    async fn ask_for_life(&mut self, anew: bool) -> Result<(), Failure> {
        let asked_at = self.clock.now().time;
        let answered = self.store.ask_each_for_life(anew).await;
        self.take_waiting().await?;
        if answered.is_err() {
            self.gap.is_open = true;
        } else if self.gap.is_open {
            self.end_gap().await?;
        } else {
            self.gap.answered_at = asked_at;
        }
        Ok(())
    }

    /// Begins again, and tells what may be missing. What is remembered may have changed since.
    async fn end_gap(&mut self) -> Result<(), Failure> {
        match self.begin().await {
            Ok(()) if self.gap.is_open => return Ok(()),
            Ok(()) => {}
            Err(Failure::Sessions(error)) if error.is_unavailable() => {
                self.gap.is_open = true;
                return Ok(());
            }
            Err(failure) => return Err(failure),
        }
        let now = self.clock.now();
        let (from, to) = (Time(self.gap.told_until), Time(now.time));
        self.gap = Gap::new(now);
        self.printer.note(format!("warning: events may be missing from {from} to {to}")).await
    }

    async fn gather(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + GATHER_FOR;
        while self.changed.len() < GATHER_AT_MOST
            && let Ok(told) = timeout_at(until, self.news.next()).await
        {
            self.note(told).await?;
        }
        Ok(())
    }

    async fn take_waiting(&mut self) -> Result<(), Failure> {
        while let Some(told) = self.news.next_now() {
            self.note(told).await?;
        }
        Ok(())
    }

    async fn note(&mut self, told: Told) -> Result<(), Failure> {
        self.gap.is_open |= self.news.has_overflown();
        match told {
            Told::Changed(keys) => self.changed.extend(keys),
            Told::Begun | Told::Lost => self.gap.is_open = true,
            Told::Emptied => {
                self.gap.is_open = true;
                let warning = "warning: all keys of a server were deleted, such as by FLUSHALL";
                self.printer.note(warning).await?;
            }
            Told::Refused => {
                let reason = "the Redis server does not tell of changes: grant +client|tracking \
                              to the Redis user";
                return Err(Failure::Refused(reason.to_owned()));
            }
        }
        Ok(())
    }

    /// Looks at the sessions that have changed, and prints the events.
    async fn look(&mut self) -> Result<(), Failure> {
        let changed = std::mem::take(&mut self.changed);
        if self.gap.is_open {
            return Ok(());
        }
        let id = |key: &str| SessionKey::id_in(self.prefix, key);
        let keys = changed.into_iter().filter(|key| id(key).is_some());
        let states = match self.store.states(keys).await {
            Ok(states) => states,
            Err(error) if error.is_unavailable() => {
                self.gap.is_open = true;
                return Ok(());
            }
            Err(error) => return Err(Error::from(error).into()),
        };
        let states = states.into_iter().filter_map(|(key, state)| Some((id(&key)?, state)));
        for event in self.memory.events(states.collect(), self.clock.now()) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            self.printer.event(event).await?;
        }
        self.gap.told_until = self.gap.answered_at;
        Ok(())
    }
}
