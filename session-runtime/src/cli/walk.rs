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
        Self { all: sessions.all(), pace: Pace::new(pace), progress: progress_bar("sessions") }
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
pub(super) struct Pace {
    between: Option<Duration>,
    due: Instant,
    page: u32,
}

/// About the largest number of keys of a page.
const PAGE: u32 = 500;

impl Pace {
    pub(super) fn new(args: &PaceArgs) -> Self {
        let between = args.rate.map(|rate| Duration::from_secs(1) / rate.get());
        // A slow walk looks at a few keys several times a second.
        let page = args.rate.map_or(PAGE, |rate| (rate.get() / 4).clamp(1, PAGE));
        Self { between, due: Instant::now(), page }
    }

    async fn turn(&mut self) {
        self.next_page().await;
        self.looked_at(1);
    }

    /// Returns the number of keys to ask for at once.
    pub(super) fn page(&self) -> u32 {
        self.page
    }

    /// Waits until the next keys are due.
    pub(super) async fn next_page(&self) {
        if self.between.is_some() {
            sleep_until(self.due).await;
        }
    }

    /// Records the number of keys since the wait.
    pub(super) fn looked_at(&mut self, keys: usize) {
        let Some(between) = self.between else { return };
        let keys = u32::try_from(keys).unwrap_or(u32::MAX);
        self.due = self.due.max(Instant::now()) + between.saturating_mul(keys);
    }
}

/// Returns a bar on standard error. Not shown unless that is a terminal.
pub(super) fn progress_bar(what: &str) -> ProgressBar {
    let template = format!("{{spinner}} {{human_pos}} {what}, {{per_sec}}");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
