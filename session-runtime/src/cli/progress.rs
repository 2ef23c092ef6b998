//! A progress bar on standard error. Not shown unless that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::store::RedisStore;

/// The progress of a command. Removed from the terminal when dropped.
pub(super) struct Progress(ProgressBar);

const WALK: &str = "{spinner} {human_pos} keys";
const WALK_OF_KNOWN: &str = "{bar:40} {human_pos} of {human_len} keys";
const OTHER: &str = "{spinner} {msg}";
/// The time between two pictures of the spinner.
const TICK: Duration = Duration::from_millis(100);

impl Progress {
    pub(super) fn new() -> Self {
        Self(ProgressBar::no_length())
    }

    /// Shows that a command is working.
    pub(super) fn working(message: &'static str) -> Self {
        let bar = ProgressBar::no_length().with_style(style(OTHER)).with_message(message);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Begins a walk over all keys. Without the permission to count them, the end is not shown.
    pub(super) async fn begin(&self, store: &RedisStore) {
        if self.0.is_hidden() {
            return;
        }
        self.0.set_style(style(WALK));
        if let Ok(keys) = store.count_keys().await {
            self.0.set_style(style(WALK_OF_KNOWN));
            self.0.set_length(keys);
        }
        self.0.enable_steady_tick(TICK);
    }

    /// Shows the number of keys that were looked at.
    pub(super) fn set_keys(&self, keys: u64) {
        self.0.set_position(self.0.length().map_or(keys, |length| keys.min(length)));
    }

    /// Hides the progress while a function writes to the terminal.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
