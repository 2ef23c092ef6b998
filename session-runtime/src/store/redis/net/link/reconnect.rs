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

/// A task that tries until a connection is open. It also ends if nobody holds the link any more, or
/// if another task has taken over an expired lease.
///
/// The task's runtime may be parked at any moment, forever, because a program may run the runtime
/// for one operation at a time. The task therefore renews a lease as a sign of life.
pub(super) struct ReconnectTask {
    pub(super) shared: Weak<Shared>,
    /// The number of the task's lease.
    pub(super) lease: u64,
}

/// The interval between signs of life while the task waits for an answer.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// The time after which a second attempt is started in parallel. A lost first packet must not delay
/// the return of a server any longer.
const ATTEMPT_BESIDE: Duration = Duration::from_millis(500);
/// The shortest time limit of an attempt, even if operations have shorter deadlines. Operations
/// only wait until their own deadline.
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

    /// Gives a sign of life. The next sign of life follows within this time.
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
                "the session store is down, retrying"
            );
        }
    }
}

/// If the task is stopped together with the runtime, another task can take over.
impl Drop for ReconnectTask {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.state.send_if_modified(|state| state.release_lease(self.lease));
        }
    }
}
