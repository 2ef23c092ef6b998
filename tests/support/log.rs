//! The log of a program.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

/// All log lines of this library and of the clients underneath:
/// `fmt().with_writer(move || log.clone())`.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Default for Log {
    /// Creates an empty log, which misses no line because of other threads.
    fn default() -> Self {
        LazyLock::force(&SECOND_DISPATCH);
        Self(Arc::default())
    }
}

/// Keeps `tracing` from caching for all threads that the first thread ignores a line.
///
/// With a single dispatch, `tracing` asks only the thread that reaches a line first. With two, it
/// asks both.
static SECOND_DISPATCH: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

impl Log {
    /// Records the log of this thread until the guard is dropped.
    pub fn record(&self) -> DefaultGuard {
        let log = self.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    /// Returns the log so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Records the log of this thread until the guard is dropped.
pub fn logged() -> (Log, DefaultGuard) {
    let log = Log::default();
    let guard = log.record();
    (log, guard)
}
