//! The results of all visitors, as numbers.

use std::io::Write;
use std::time::{Duration, Instant};

use super::visitor::{Fate, Request, Seen, Visitor};

/// The results of all visitors.
#[derive(Debug)]
pub struct Report {
    seen: Seen,
}

impl Report {
    pub(super) fn new(visitors: Vec<Visitor>) -> Self {
        let mut seen = Seen::default();
        for visitor in visitors {
            seen.requests.extend(visitor.seen.requests);
            seen.lost += visitor.seen.lost;
            seen.wrong.extend(visitor.seen.wrong);
        }
        Self { seen }
    }

    /// Returns the number of acknowledged increments that were lost.
    pub fn lost(&self) -> u64 {
        self.seen.lost
    }

    /// Returns the number of failed requests, including those with an unknown outcome.
    pub fn failed(&self) -> usize {
        self.count(Fate::Failed) + self.count(Fate::Unknown)
    }

    /// Returns the longest wait of any request.
    pub fn longest_wait(&self) -> Duration {
        self.waits().last().copied().unwrap_or_default()
    }

    /// Returns the time from this moment to the last failed request. All later requests were
    /// served.
    pub fn served_again_after(&self, moment: Instant) -> Duration {
        let failures = self.seen.requests.iter().filter(|request| request.fate != Fate::Served);
        let last = failures.map(|request: &Request| request.ended).max();
        last.map_or(Duration::ZERO, |last| last.saturating_duration_since(moment))
    }

    /// Checks that no write ran twice, and that none was seen in part.
    ///
    /// # Panics
    ///
    /// Panics if a check fails.
    pub fn assert_right(&self) {
        let wrong = &self.seen.wrong;
        assert!(wrong.is_empty(), "{} times, as: {:?}", wrong.len(), &wrong[..wrong.len().min(3)]);
    }

    /// Prints the numbers even if the test's output is captured, because they are the purpose of
    /// the test.
    pub fn print(&self, fault: &str, deadline: Duration, back: Option<Instant>) {
        let waits = self.waits();
        let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
        let again = back.map(|back| {
            format!(
                ", all served {} ms after it was back",
                self.served_again_after(back).as_millis()
            )
        });
        let line = format!(
            "load: {fault}: {} requests, {} failed, {} of unknown outcome, {} acknowledged writes \
             lost; waits p99 {:.1} ms, longest {:.1} ms, deadline {} ms{}\n",
            waits.len(),
            self.count(Fate::Failed),
            self.count(Fate::Unknown),
            self.lost(),
            milliseconds(p99),
            milliseconds(self.longest_wait()),
            deadline.as_millis(),
            again.unwrap_or_default(),
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn count(&self, fate: Fate) -> usize {
        self.seen.requests.iter().filter(|request| request.fate == fate).count()
    }

    /// Returns the waits in ascending order.
    fn waits(&self) -> Vec<Duration> {
        let mut waits: Vec<_> = self.seen.requests.iter().map(|request| request.took).collect();
        waits.sort_unstable();
        waits
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
