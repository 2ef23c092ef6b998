//! The pause between attempts of an update, while others change the same field.

#[cfg(feature = "redis")]
mod turns;

#[cfg(feature = "redis")]
pub(crate) use turns::Turns;

use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

#[cfg(feature = "redis")]
use self::turns::{Full, Turn};
use crate::error::{Error, Kind};
#[cfg(feature = "redis")]
use crate::random::fill_random;
use crate::request::handle::SessionHandle;
use crate::request::manager::Manager;
#[cfg(feature = "redis")]
use crate::store::AnyStore;

/// The attempts of an update. For each lost attempt, another writer succeeded.
///
/// The first attempt starts at once, unless other updates are known to be waiting. On Redis,
/// updates of the same field in this process take [turns](Turns). So each attempt competes only
/// with other processes, after a random pause if the previous attempt was lost. In memory, an
/// attempt finishes before another task runs, so there is no pause.
pub(crate) struct Tries<'a> {
    handle: &'a SessionHandle,
    field: &'static str,
    made: u32,
    /// Starts when the first attempt is lost.
    deadline: Option<Instant>,
    #[cfg(feature = "redis")]
    turn: Option<Turn<'a>>,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(handle: &'a SessionHandle, field: &'static str) -> Self {
        Self {
            handle,
            field,
            made: 0,
            deadline: None,
            #[cfg(feature = "redis")]
            turn: None,
        }
    }

    /// Waits until the next attempt is due.
    ///
    /// # Errors
    ///
    /// `is_contended` if no time is left.
    pub(crate) async fn next(&mut self) -> Result<(), Error> {
        let is_first = self.made == 0;
        self.made = self.made.saturating_add(1);
        if is_first && !self.manager().has_turns() {
            return Ok(());
        }
        let deadline = self.deadline();
        if Instant::now() >= deadline || self.made > MOST {
            return Err(self.contended());
        }
        #[cfg(feature = "redis")]
        if let AnyStore::Redis(_) = self.manager().store() {
            return self.take_turn(deadline).await;
        }
        yield_once().await;
        Ok(())
    }

    fn deadline(&mut self) -> Instant {
        let timeout = self.manager().timeout();
        *self.deadline.get_or_insert_with(|| Instant::now() + timeout)
    }

    #[cfg(feature = "redis")]
    async fn take_turn(&mut self, deadline: Instant) -> Result<(), Error> {
        let manager = self.manager();
        match &self.turn {
            Some(_) => pause(self.made).await,
            None => {
                let id = self.handle.id();
                let joined =
                    id.map(|id| manager.turns().join((id, self.field), self.made > 1)).transpose();
                self.turn = joined.map_err(|Full| self.contended())?.flatten();
            }
        }
        let patience = manager.timeout() / PATIENCE_SHARE;
        match &self.turn {
            Some(turn) if !turn.come(patience, deadline.into()).await => Err(self.contended()),
            _ => Ok(()),
        }
    }

    fn manager(&self) -> &'a Manager {
        self.handle.manager()
    }

    fn contended(&self) -> Error {
        Error::new(Kind::Contended { field: self.field })
    }
}

/// The maximum number of attempts. For each lost attempt, another writer succeeded. So many lost
/// attempts are no accident, even in memory, where an attempt takes hardly any time.
const MOST: u32 = 1_000;

/// A silent turn may be taken over after the deadline divided by this. Several takeovers fit into
/// the deadline of waiting updates.
#[cfg(feature = "redis")]
const PATIENCE_SHARE: u32 = 10;

/// The longest pause before an attempt, in milliseconds.
#[cfg(feature = "redis")]
const LONGEST_PAUSE: u32 = 16;

/// Pauses for a random time, so that processes do not stay in step. The more attempts were lost,
/// the longer the pause may be.
#[cfg(feature = "redis")]
async fn pause(tries: u32) {
    let mut random = [0];
    // Without random numbers, the pause is as long as possible.
    let share = fill_random(&mut random).map_or(u8::MAX, |()| random[0]);
    let most = std::time::Duration::from_millis(tries.min(LONGEST_PAUSE).into());
    tokio::time::sleep(most * u32::from(share) / u32::from(u8::MAX)).await;
}

/// Lets other tasks of this thread run.
async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
