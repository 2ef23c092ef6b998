//! A walk over all sessions, at a limited pace and with a progress bar.

use std::time::Duration;
use std::vec;

use tokio::time::{Instant, sleep_until};

use super::args::PaceArgs;
use super::connection::redis_store;
use super::failure::Failure;
use super::progress::Progress;
use super::seen::Seen;
use super::untyped::Untyped;
use crate::session::found::{AllSessions, SessionEntry, TagSearch};
use crate::session::sessions::Sessions;
use crate::store::RedisStore;

/// A walk over all live sessions.
pub(super) struct Walk<'a> {
    sessions: &'a Sessions,
    all: AllSessions<Untyped>,
    page: vec::IntoIter<SessionEntry<Untyped>>,
    seen: Seen,
    steps: Steps,
}

impl<'a> Walk<'a> {
    pub(super) fn new(sessions: &'a Sessions, pace: &PaceArgs) -> Self {
        let (all, page) = (sessions.all(), Vec::new().into_iter());
        Self { sessions, all, page, seen: Seen::default(), steps: Steps::new(pace, false) }
    }

    /// Returns the next session, each once, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<SessionEntry<Untyped>>, Failure> {
        loop {
            let seen = &mut self.seen;
            if let Some(entry) = self.page.find(|entry| seen.insert(entry.id())) {
                return Ok(Some(entry));
            }
            if self.all.is_over() {
                return Ok(None);
            }
            self.steps.begin(self.sessions).await?;
            let Some(page) = self.all.step().await? else { return Ok(None) };
            self.page = page.into_iter();
        }
    }

    /// Hides the progress while a function writes to the terminal.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.steps.progress.suspend(write)
    }
}

/// Finds the live sessions with a tag. The session created first comes first.
pub(super) async fn by_tag(
    sessions: &Sessions,
    tag: &str,
    pace: &PaceArgs,
) -> Result<Vec<SessionEntry<Untyped>>, Failure> {
    let mut search = TagSearch::new(sessions.manager(), tag);
    let mut steps = Steps::new(pace, true);
    loop {
        steps.begin(sessions).await?;
        if !search.step().await? {
            return Ok(search.found());
        }
    }
}

/// The steps of a walk. Each looks at about the same number of keys.
pub(super) struct Steps {
    keys_in_step: u32,
    begun: u64,
    pace: Pace,
    progress: Progress,
}

impl Steps {
    pub(super) fn new(pace: &PaceArgs, has_tag: bool) -> Self {
        let keys_in_step = RedisStore::keys_in_step(has_tag);
        Self {
            keys_in_step,
            begun: 0,
            pace: Pace::new(pace, keys_in_step),
            progress: Progress::new(),
        }
    }

    /// Returns about the largest number of keys that a step looks at.
    pub(super) fn keys_in_step(&self) -> u32 {
        self.keys_in_step
    }

    /// Waits for the time of the next step.
    pub(super) async fn begin(&mut self, sessions: &Sessions) -> Result<(), Failure> {
        if self.begun == 0 {
            self.progress.begin(redis_store(sessions)?).await;
        }
        self.progress.set_keys(self.begun * u64::from(self.keys_in_step));
        self.begun += 1;
        self.pace.turn().await;
        Ok(())
    }
}

/// The time of each step, if the number of keys per second is limited.
struct Pace {
    between: Option<Duration>,
    due: Instant,
}

impl Pace {
    fn new(args: &PaceArgs, keys_in_step: u32) -> Self {
        let between = args.rate.map(|rate| Duration::from_secs(keys_in_step.into()) / rate.get());
        Self { between, due: Instant::now() }
    }

    async fn turn(&mut self) {
        let Some(between) = self.between else { return };
        sleep_until(self.due).await;
        self.due = self.due.max(Instant::now()) + between;
    }
}
