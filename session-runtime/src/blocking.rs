//! Operations without `async`, for servers that have a thread for each request, and for scripts.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use tokio::task::coop;

use crate::background::background;
use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::session::field::Field;

impl<T: 'static> Field<'_, T> {
    /// Reads the field, and waits for it: [`Operation::wait`].
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`Error::is_unsupported`] on a thread that drives an async
    /// runtime.
    pub fn wait(self) -> Result<T, Error> {
        wait(self)
    }
}

impl<T> Operation<'_, T> {
    /// Carries the operation out, and waits for it: what `.await` is in a program without `async`.
    ///
    /// What goes on in the background, the connection of a [`Sessions`](crate::Sessions) that was
    /// built by `wait` say, has a thread of the library's own, which the first call starts.
    ///
    /// # Errors
    ///
    /// Those of the operation, and [`Error::is_unsupported`] on a thread that drives a tokio
    /// runtime, which would stand still meanwhile: there the operation is to be awaited, or
    /// waited for inside `spawn_blocking` (actix-web: `web::block`). Nothing was done then. What
    /// tells such a thread is the budget that tokio gives its tasks: a task under
    /// `tokio::task::unconstrained` is not recognized, nor are other runtimes. There, the
    /// operation is carried out and the runtime stands still meanwhile, for the deadline of an
    /// operation at most.
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
    /// # }
    /// # Ok::<(), session_runtime::Error>(())
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
    // For timers, and for what the operation leaves to be done. `Handle::block_on` would do, but it
    // panics where `drives_a_runtime` was misled.
    let _background = background.enter();
    pollster::block_on(operation)
}

/// Whether this thread is polling a task of tokio's. A runtime's context says nothing:
/// `spawn_blocking` has it too.
///
/// Tasks are polled on a budget, of 128 steps today and a byte's worth at most; all else is not.
/// Steps are counted until there are none left, and then given back.
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
