//! The task that connects.

use std::sync::Weak;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Shared, jittered};
use crate::store::redis::cause::Cause;
use crate::store::redis::net::connection::Watched;
use crate::store::redis::net::outage_log::tell;

/// It tries until it has succeeded, nobody holds the link any more, or another task has taken the turn because this one was overdue.
///
/// Its runtime may be parked at any moment, for good: a program may run it for one operation at a time. So it gives signs of life.
pub(crate) struct Connector {
    pub(crate) shared: Weak<Shared>,
    /// The number of its turn.
    pub(crate) turn: u64,
}

/// How often it gives a sign of life while it waits for an answer.
const SIGN_OF_LIFE: Duration = Duration::from_millis(100);
/// An attempt that takes longer gets another one beside it: a lost first packet must not cost a returning server more.
const ATTEMPT_BESIDE: Duration = Duration::from_millis(500);
/// However short the deadline of an operation, which does not wait for it longer than that.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Connector {
    pub(crate) async fn run(self) {
        let mut attempts = JoinSet::new();
        let mut next_attempt = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        while self.has_its_turn(SIGN_OF_LIFE) {
            if next_attempt <= Instant::now() {
                let Some(shared) = self.shared.upgrade() else { return };
                attempts.spawn(async move { shared.open(SHORTEST_ATTEMPT).await });
                next_attempt = Instant::now() + ATTEMPT_BESIDE;
            }
            match timeout(SIGN_OF_LIFE, attempts.join_next()).await {
                Err(_) => continue,
                Ok(Some(Ok(Ok(connection)))) => return self.succeeded(connection),
                Ok(Some(Ok(Err(cause)))) => self.failed(cause),
                Ok(Some(Err(_)) | None) => self.failed(Cause::Lost),
            }
            let jittered = jittered(pause);
            if self.has_its_turn(jittered) {
                sleep(jittered).await;
            }
            pause = LONGEST_PAUSE.min(pause * 2);
            next_attempt = Instant::now();
        }
    }

    /// A sign of life, which the next one follows within this time.
    fn has_its_turn(&self, next: Duration) -> bool {
        let mut has_turn = false;
        if let Some(shared) = self.shared.upgrade() {
            shared.state.send_if_modified(|state| {
                has_turn = state.prolong_turn(self.turn, next);
                false
            });
        }
        has_turn
    }

    fn succeeded(&self, connection: Watched) {
        if let (true, Some(shared)) = (self.has_its_turn(Duration::ZERO), self.shared.upgrade()) {
            shared.connected(connection);
        }
    }

    fn failed(&self, cause: Cause) {
        let (true, Some(shared)) = (self.has_its_turn(Duration::ZERO), self.shared.upgrade()) else { return };
        let mut is_news = false;
        let reign = shared.reigns.current();
        shared.state.send_modify(|state| is_news = state.failed(cause.clone(), &shared.place, reign));
        if is_news {
            tell!(
                shared.told.down(),
                error,
                address = %shared.place,
                cause = %cause,
                "the session store is down, trying again and again"
            );
        }
    }
}

/// A connector that was stopped with its runtime leaves its place to the next one.
impl Drop for Connector {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.state.send_if_modified(|state| state.end_turn(self.turn));
        }
    }
}
