//! A walk over all sessions, at a limited pace and with a progress bar.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep_until};

use super::args::PaceArgs;
use super::failure::Failure;
use super::untyped::Untyped;
use crate::session::found::{AllSessions, SessionEntry};
use crate::session::sessions::Sessions;

/// A walk over all live sessions.
pub(super) struct Walk {
    all: AllSessions<Untyped>,
    pace: Pace,
    progress: ProgressBar,
}

impl Walk {
    pub(super) fn new(sessions: &Sessions, pace: &PaceArgs) -> Self {
        Self { all: sessions.all(), pace: Pace::new(pace), progress: progress_bar() }
    }

    /// Returns the next session, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<SessionEntry<Untyped>>, Failure> {
        self.pace.turn().await;
        let entry = self.all.next().await?;
        match &entry {
            Some(_) => self.progress.inc(1),
            None => self.progress.finish_and_clear(),
        }
        Ok(entry)
    }

    /// Hides the progress while a function writes to the terminal.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.progress.suspend(write)
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

/// The time of each turn, if the turns per second are limited.
struct Pace {
    between: Option<Duration>,
    due: Instant,
}

impl Pace {
    fn new(args: &PaceArgs) -> Self {
        let between = args.rate.map(|rate| Duration::from_secs(1) / rate.get());
        Self { between, due: Instant::now() }
    }

    async fn turn(&mut self) {
        let Some(between) = self.between else { return };
        sleep_until(self.due).await;
        self.due = self.due.max(Instant::now()) + between;
    }
}

/// Returns a bar on standard error. Not shown unless that is a terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} sessions, {per_sec}");
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
