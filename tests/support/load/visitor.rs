//! A visitor that remembers the possible content of its session.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use session_runtime::{Error, Session, Sessions};

use super::Progress;

/// The session of a visitor.
#[derive(Debug, Session)]
pub(crate) struct Visit {
    count: u64,
    left: u64,
    right: u64,
}

/// A visitor and its results.
#[derive(Debug)]
pub(crate) struct Visitor {
    sessions: Sessions,
    number: usize,
    cookie: Option<String>,
    /// Last count that was read or acknowledged.
    count: u64,
    /// Number of increments with an unknown outcome since then.
    unknown: u64,
    pub(crate) seen: Seen,
}

/// The results of one or of all visitors.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: Vec<Request>,
    /// Acknowledged increments that were lost.
    pub(crate) lost: u64,
    /// Violations of the guarantees.
    pub(crate) wrong: Vec<String>,
}

/// A request with its result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) ended: Instant,
    pub(crate) took: Duration,
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Served,
    /// The request failed, and nothing was written.
    Failed,
    /// The request failed, and may have written.
    Unknown,
}

/// Pause before the next request, like a client that was told to retry later.
const AFTER_A_FAILURE: Duration = Duration::from_millis(5);

impl Visitor {
    pub(crate) fn new(sessions: Sessions, number: usize) -> Self {
        Self { sessions, number, cookie: None, count: 0, unknown: 0, seen: Seen::default() }
    }

    pub(crate) async fn run(mut self, progress: Arc<Progress>) -> Self {
        let mut turn = self.number as u64;
        while !progress.stops.load(Ordering::Relaxed) {
            let fate = self.request(turn).await;
            turn += 1;
            if fate == Fate::Served {
                progress.served.fetch_add(1, Ordering::Relaxed);
            } else {
                progress.failed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(AFTER_A_FAILURE).await;
            }
        }
        self
    }

    async fn request(&mut self, turn: u64) -> Fate {
        let begun = Instant::now();
        let handle = self.sessions.open(self.cookie.as_deref().map(str::as_bytes));
        let session = handle.session();
        let result = match turn % 4 {
            0 => self.counts(&session).await,
            1 => self.reads(&session).await,
            2 => {
                session.write().set(session.left(), turn).set(session.right(), turn).commit().await
            }
            _ => self.compares(&session).await,
        };
        if let Some(cookie) = handle.finish().set_cookie() {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let fate = self.fate(result);
        self.seen.requests.push(Request { ended: Instant::now(), took: begun.elapsed(), fate });
        fate
    }

    async fn counts(&mut self, session: &Session<Visit>) -> Result<(), Error> {
        match session.count().incr(1).await {
            Ok(count) => self.sees(count, 1),
            Err(error) => {
                self.unknown += u64::from(error.is_outcome_unknown());
                return Err(error);
            }
        }
        Ok(())
    }

    async fn reads(&mut self, session: &Session<Visit>) -> Result<(), Error> {
        let count = session.count().await?;
        self.sees(count, 0);
        Ok(())
    }

    async fn compares(&mut self, session: &Session<Visit>) -> Result<(), Error> {
        let (left, right) = session.read((session.left(), session.right())).await?;
        if left != right {
            self.seen.wrong.push(format!("half of a write was seen: {left}, {right}"));
        }
        Ok(())
    }

    /// Records a count that was read, after this request added a number.
    fn sees(&mut self, count: u64, added: u64) {
        let least = self.count + added;
        let most = least + self.unknown;
        if count > most {
            self.seen
                .wrong
                .push(format!("carried out twice: {count}, but only {most} were requested"));
        }
        self.seen.lost += least.saturating_sub(count);
        self.unknown -= count.saturating_sub(least).min(self.unknown);
        self.count = count;
    }

    fn fate(&mut self, result: Result<(), Error>) -> Fate {
        match result {
            Ok(()) => Fate::Served,
            Err(error) if error.is_outcome_unknown() => Fate::Unknown,
            Err(error) => {
                if error.is_gone() {
                    // The session is lost, and the next request creates another session.
                    self.seen.lost += self.count;
                    (self.cookie, self.count, self.unknown) = (None, 0, 0);
                }
                Fate::Failed
            }
        }
    }
}
