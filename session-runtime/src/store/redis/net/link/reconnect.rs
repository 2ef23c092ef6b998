//! The task that connects.

use std::sync::Weak;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::Shared;
use crate::store::redis::cause::Cause;
use crate::store::redis::net::backoff::jittered;
use crate::store::redis::net::connection::LiveConnection;
use crate::store::redis::net::outage_log::log_first;

/// It tries until it has succeeded, nobody holds the link any more, or another task has the lease
/// because its own expired.
///
/// Its runtime may be parked at any moment, for good: a program may run it for one operation at a
/// time. So it gives signs of life.
pub(super) struct ReconnectTask {
    pub(super) shared: Weak<Shared>,
    /// The number of its lease.
    pub(super) lease: u64,
}

/// How often it gives a sign of life while it waits for an answer.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// An attempt that takes longer gets another one beside it: a lost first packet must not cost a
/// returning server more.
const ATTEMPT_BESIDE: Duration = Duration::from_millis(500);
/// However short the deadline of an operation, which does not wait for it longer than that.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl ReconnectTask {
    pub(super) async fn run(self) {
        let mut attempts = JoinSet::new();
        let mut next_attempt = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        while self.renew_lease(HEARTBEAT) {
            if next_attempt <= Instant::now() {
                let Some(shared) = self.shared.upgrade() else { return };
                attempts.spawn(async move { shared.open(SHORTEST_ATTEMPT).await });
                next_attempt = Instant::now() + ATTEMPT_BESIDE;
            }
            match timeout(HEARTBEAT, attempts.join_next()).await {
                Err(_) => continue,
                Ok(Some(Ok(Ok(connection)))) => return self.succeeded(connection),
                Ok(Some(Ok(Err(cause)))) => self.failed(cause),
                Ok(Some(Err(_)) | None) => self.failed(Cause::Lost),
            }
            let jittered = jittered(pause);
            if self.renew_lease(jittered) {
                sleep(jittered).await;
            }
            pause = LONGEST_PAUSE.min(pause * 2);
            next_attempt = Instant::now();
        }
    }

    /// A sign of life, which the next one follows within this time.
    fn renew_lease(&self, next: Duration) -> bool {
        let mut has_lease = false;
        if let Some(shared) = self.shared.upgrade() {
            shared.state.send_if_modified(|state| {
                has_lease = state.renew_lease(self.lease, next);
                false
            });
        }
        has_lease
    }

    fn succeeded(&self, connection: LiveConnection) {
        if let (true, Some(shared)) = (self.renew_lease(Duration::ZERO), self.shared.upgrade()) {
            shared.connected(connection);
        }
    }

    fn failed(&self, cause: Cause) {
        let (true, Some(shared)) = (self.renew_lease(Duration::ZERO), self.shared.upgrade()) else {
            return;
        };
        let mut is_first = false;
        let generation = shared.generations.current();
        shared.state.send_modify(|state| {
            is_first = state.failed(cause.clone(), &shared.endpoint, generation)
        });
        if is_first {
            log_first!(
                shared.log.record_down(),
                error,
                address = %shared.endpoint,
                cause = %cause,
                "the session store is down, trying again and again"
            );
        }
    }
}

/// A task that was stopped with its runtime leaves its place to the next one.
impl Drop for ReconnectTask {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.state.send_if_modified(|state| state.release_lease(self.lease));
        }
    }
}
