//! Hundreds of requests at once, while something fails under them: what they saw, and what they
//! must not see.

mod report;
mod visitor;

pub use report::Report;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use session_runtime::Sessions;
use tokio::task::JoinHandle;

use self::visitor::Visitor;

/// Visitors that send one request after another, each with a session of its own. They know what
/// their sessions may hold, and check it in each answer: no acknowledged write missing, none
/// carried out twice, none seen by half.
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
    /// So many visitors; each has been served once.
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

    /// Waits until as many requests were served as there are visitors, this many times.
    pub async fn served(&self, times: u64) {
        self.grows("requests that are served", &self.progress.served, times).await;
    }

    /// Waits until as many requests failed as there are visitors, this many times.
    pub async fn failed(&self, times: u64) {
        self.grows("requests that fail", &self.progress.failed, times).await;
    }

    /// Lets each visitor end its request, and gathers what they saw.
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
            assert!(Instant::now() < limit, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
