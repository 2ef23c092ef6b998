//! Hundreds of concurrent requests during a failure, with checks of their results.

mod report;
mod visitor;

pub use report::Report;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use session_runtime::Sessions;
use tokio::task::JoinHandle;

use self::visitor::Visitor;

/// Visitors that send one request after another, each with a separate session. Each visitor knows
/// the possible content of its session, and checks every answer. No acknowledged write may be lost,
/// no write may run twice, and no write may be seen in part.
#[derive(Debug)]
pub struct Load {
    visitors: Vec<JoinHandle<Visitor>>,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
pub(crate) struct Progress {
    stops: AtomicBool,
    served: AtomicU64,
    failed: AtomicU64,
}

impl Load {
    /// Starts this number of visitors, and waits until each has been served once.
    pub async fn start(sessions: &Sessions, visitors: usize) -> Self {
        let progress = Arc::new(Progress::default());
        let visitors = (0..visitors).map(|number| {
            let visitor = Visitor::new(sessions.clone(), number);
            tokio::spawn(visitor.run(Arc::clone(&progress)))
        });
        let load = Self { visitors: visitors.collect(), progress };
        load.served(5).await;
        load
    }

    /// Waits until this many requests per visitor have succeeded, on average.
    pub async fn served(&self, times: u64) {
        self.grows("requests that are served", &self.progress.served, times).await;
    }

    /// Waits until this many requests per visitor have failed, on average.
    pub async fn failed(&self, times: u64) {
        self.grows("requests that fail", &self.progress.failed, times).await;
    }

    /// Lets each visitor finish its request, and collects the results.
    pub async fn stop(self) -> Report {
        self.progress.stops.store(true, Ordering::Relaxed);
        let mut visitors = Vec::new();
        for visitor in self.visitors {
            visitors.push(visitor.await.unwrap());
        }
        Report::new(visitors)
    }

    async fn grows(&self, what: &str, number: &AtomicU64, times: u64) {
        let enough = number.load(Ordering::Relaxed) + times * self.visitors.len() as u64;
        let limit = Instant::now() + Duration::from_secs(60);
        while number.load(Ordering::Relaxed) < enough {
            assert!(Instant::now() < limit, "timed out waiting for {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
