//! Operations without `async`, for scripts and for web frameworks with a thread for each request.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use tokio::task::coop;

use crate::background::background;
use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::session::field::Field;
use crate::session::found::{AllSessions, SessionEntry};
use crate::session::schema::Schema;

impl<T: 'static, F> Field<'_, T, F> {
    /// Reads the field and blocks until the value is there. See [`Operation::wait`].
    ///
    /// # Errors
    ///
    /// The same as for [`get`](Self::get), and [`Error::is_unsupported`] on a thread that drives an
    /// async runtime.
    pub fn wait(self) -> Result<T, Error> {
        wait(self)
    }
}

impl<D: Schema> AllSessions<D> {
    /// Returns an iterator over the sessions, which blocks for each step. See [`Operation::wait`].
    ///
    /// The iterator ends after an error. To go on after an error, call
    /// [`next`](AllSessions::next) and [`Operation::wait`] instead.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use session_runtime::{Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).wait()?;
    /// sessions.create::<Visitor>().wait()?;
    /// for entry in sessions.all::<Visitor>().wait() {
    ///     println!("{}", entry?.tag());
    /// }
    /// # } Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn wait(mut self) -> impl Iterator<Item = Result<SessionEntry<D>, Error>> {
        let mut has_failed = false;
        std::iter::from_fn(move || {
            let next = if has_failed { None } else { self.next().wait().transpose() };
            has_failed |= next.as_ref().is_some_and(Result::is_err);
            next
        })
    }
}

impl<T> Operation<'_, T> {
    /// Runs the operation and blocks until it completes, like `.await` in a program without
    /// `async`.
    ///
    /// The first call starts a background thread of the library. This thread drives any background
    /// work, such as the connection of a [`Sessions`](crate::Sessions) that was created with
    /// `wait`.
    ///
    /// # Errors
    ///
    /// Returns the operation's errors. Fails with [`Error::is_unsupported`] on a thread that drives
    /// a tokio runtime, because `wait` would block the runtime. Nothing was done in that case.
    /// Await the operation there, or call `wait` inside `spawn_blocking` (actix-web: `web::block`).
    ///
    /// Such a thread is recognized by the budget that tokio gives to tasks. Other runtimes are not
    /// recognized, and neither is a task under `tokio::task::unconstrained`. The operation then
    /// runs and blocks the runtime, for the deadline of an operation at most.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use session_runtime::{Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    ///     name: String,
    /// }
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).wait()?;
    /// let handle = sessions.open([b"theme=dark".as_slice()]);
    /// let session = handle.session::<Visitor>();
    /// session.set_name("Ada").wait()?;
    /// assert_eq!(session.count().incr(1).wait()?, 1);
    /// assert_eq!(session.name().wait()?, "Ada");
    /// # } Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn wait(self) -> Result<T, Error> {
        wait(self)
    }
}

fn wait<T>(operation: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    if drives_a_runtime() {
        return Err(Error::new(Kind::DrivesRuntime));
    }
    let background = background().map_err(|error| Error::new(Kind::NoThread(error)))?;
    // For timers and background work. `Handle::block_on` would be simpler, but panics in the cases
    // that `drives_a_runtime` does not recognize.
    let _background = background.enter();
    pollster::block_on(operation)
}

/// Returns whether this thread is polling a tokio task. The runtime's context is no indication,
/// because `spawn_blocking` has a context too.
///
/// Tasks are polled on a budget of 128 steps today, and of 255 at most. Other code has no budget.
/// Takes steps until none is left, and then gives the steps back.
fn drives_a_runtime() -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(_given_back_at_the_end) = coop::poll_proceed(cx) else { return true };
    (0..=u8::MAX).any(|_| match coop::poll_proceed(cx) {
        Poll::Ready(step) => {
            step.made_progress();
            false
        }
        Poll::Pending => true,
    })
}
