//! The end of a session, awaited by a live connection.

use std::fmt;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use tokio::sync::{Notify, oneshot};

use super::end_wait::{EndWait, until_learned};
use super::handle::{Request, SessionHandle};
use super::manager::Manager;
use super::report::record_nothing;
use super::shared::Link;
use super::watch::Watch;
use crate::background::{spawn_here, timeout_at};
use crate::error::Error;
use crate::lifecycle::{EndReason, EndStep, SessionMetadata};
use crate::telemetry::{OperationName, OperationSpan};

/// The end of a session, as a future: see [`Session::ended`](struct@crate::Session#method.ended).
#[must_use = "a future does nothing until you await it"]
pub struct Ended {
    wait: EndWait,
    /// The result, for polls after the end.
    reason: Option<EndReason>,
    /// Keeps the session's state alive, which has the place on the list of watched sessions.
    _handle: SessionHandle,
}

/// The number of round trips of a look.
const LONGEST_LOOK: u32 = 2;
/// The time after a failed look.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// The time after the deadline at which the deadline has passed for sure.
const AFTER_DEADLINE: Duration = Duration::from_millis(1);

impl SessionHandle {
    /// Returns the end of the session as a future.
    pub(crate) fn ended(&self) -> Ended {
        let reason = match self.plan_end() {
            EndStep::Over(reason) => Some(reason),
            _ => None,
        };
        let wait = self.end_wait().get_or_start(reason, |learned| {
            Box::pin(end_of(self.link(), Arc::clone(self.manager()), learned))
        });
        Ended { wait, reason: None, _handle: self.clone() }
    }

    fn plan_end(&self) -> EndStep {
        self.accessed().plan_end(self.manager().now())
    }

    /// Asks the store for the session, or for the reason of its end, and reports the reply. A look
    /// at the session does not count as use.
    async fn look_for_end(&self, step: EndStep) -> Result<(), Error> {
        let tombstone_of = match step {
            EndStep::Watch { session, resolves_pending } => {
                let reply = self.store().expires_in(&session.key).await?;
                let progress =
                    self.report(&session, resolves_pending, false, reply, record_nothing);
                progress.continue_value().flatten()
            }
            EndStep::ReadTombstone(session) => Some(session),
            EndStep::Over(_) | EndStep::Nothing => None,
        };
        if let Some(session) = tombstone_of {
            let tombstone = self.store().tombstone(&session.key).await?;
            self.record_tombstone(&session, tombstone);
        }
        Ok(())
    }
}

/// Waits for the end of a request's session. The request is not kept alive, because its state keeps
/// this future.
async fn end_of(request: Link<Request>, manager: Arc<Manager>, learned: Arc<Notify>) -> EndReason {
    let mut watch: Option<Watch> = None;
    loop {
        let (clock_moved, learned) = (manager.clock_moved(), until_learned(&learned));
        let step = match SessionHandle::follow(&request) {
            Some(handle) => handle.plan_end(),
            // Nobody awaits the end any more.
            None => return pending().await,
        };
        // Returns whether a test has moved the clock.
        let event = async { matches!(select(clock_moved, pin!(learned)).await, Either::Left(_)) };
        match &step {
            EndStep::Over(reason) => return *reason,
            EndStep::Nothing => wait(manager.pace().interval, event.map(drop)).await,
            EndStep::ReadTombstone(_) => look(&request, step, &manager).await,
            EndStep::Watch { session, .. } => {
                let watch = watch_of(&mut watch, session, &manager);
                if is_over(watch, session, &manager, event).await {
                    look(&request, step, &manager).await;
                }
            }
        }
    }
}

/// Returns the place of this session on the list. A place that is there already was found over,
/// without an end of the session, or waited for long.
fn watch_of<'a>(
    watch: &'a mut Option<Watch>,
    session: &SessionMetadata,
    manager: &Manager,
) -> &'a Watch {
    match watch.take_if(|watch| *watch.key() == session.key) {
        Some(same) => {
            same.look_again();
            watch.insert(same)
        }
        None => watch.insert(Watch::new(manager.store(), &session.key, manager.pace())),
    }
}

/// Waits for the store's word that there is no live session under the key. Returns `false` after a
/// while, so that the deadline is looked at again, and as soon as the request learns something.
async fn is_over(
    watch: &Watch,
    session: &SessionMetadata,
    manager: &Manager,
    clock_has_moved: impl Future<Output = bool>,
) -> bool {
    let deadline_in = session.deadline_in(manager.now()).unwrap_or_default();
    let most = manager.pace().interval.min(deadline_in.saturating_add(AFTER_DEADLINE));
    let event = async {
        if clock_has_moved.await {
            watch.hurry();
        }
    };
    matches!(select(pin!(watch.over()), pin!(wait(most, event))).await, Either::Left(_))
}

/// Waits for an event, but only for some time.
async fn wait(most: Duration, event: impl Future<Output = ()>) {
    timeout_at(Instant::now() + most, event).await;
}

/// Looks for the end in a task, because a dropped waiter must not keep a handle. A failed look is
/// repeated after a second, and so is a look in a runtime that has been parked.
async fn look(request: &Link<Request>, step: EndStep, manager: &Manager) {
    let Some(handle) = SessionHandle::follow(request) else { return };
    // A custom store may have no deadline.
    let timeout = manager.pace().timeout * LONGEST_LOOK;
    let (done, is_done) = oneshot::channel();
    spawn_here(async move {
        let mut looked = false;
        let looks = async {
            let span = OperationSpan::new(OperationName::EndReason, &handle);
            looked = span.instrument(handle.look_for_end(step)).await.is_ok();
        };
        wait(timeout, looks).await;
        let _ = done.send(looked);
    });
    let mut looked = false;
    wait(timeout + BETWEEN_TRIES, async { looked = is_done.await == Ok(true) }).await;
    if !looked {
        wait(BETWEEN_TRIES, pending()).await;
    }
}

impl Future for Ended {
    type Output = EndReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<EndReason> {
        if let Some(reason) = self.reason {
            return Poll::Ready(reason);
        }
        let polled = self.wait.poll_unpin(cx);
        if let Poll::Ready(reason) = polled {
            self.reason = Some(reason);
        }
        polled
    }
}

impl Clone for Ended {
    fn clone(&self) -> Self {
        Self { wait: self.wait.clone(), reason: self.reason, _handle: self._handle.clone() }
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").finish_non_exhaustive()
    }
}
