//! Operations that are ready side by side, sent in one write.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::AbortHandle;

/// Has the operations of a busy connection go out together.
///
/// A connection's driver is woken by the first operation that is handed to it, and a thread of
/// tokio's multi-threaded runtime runs next what it has woken last, before all that waited longer.
/// It would write that one operation, then the next one, and each is a system call here and another
/// at the server. So while the connection is busy, each operation wakes a task that does nothing:
/// the driver, woken last but one, waits its turn, and those that were ready before it hand over
/// theirs.
///
/// While there is little to do, nothing of the kind: a thread without work would be woken for the
/// driver. A current-thread runtime runs everything in turn.
pub(crate) struct WriteCoalescer(Option<Coalescing>);

/// On a runtime that runs tasks out of turn.
struct Coalescing {
    in_flight: AtomicUsize,
    /// From how many operations in flight the connection is busy.
    busy_from: usize,
    noop_task: NoopTask,
}

/// The task that does nothing, on the runtime of the connection.
struct NoopTask {
    waker: Arc<OnceLock<Waker>>,
    task: AbortHandle,
}

/// An operation that was handed over and is not answered.
struct InFlight<'a>(&'a AtomicUsize);

/// How many operations in flight keep a thread busy. With fewer it costs more than it saves: tried
/// on two threads, with Redis beside them.
const BUSY_PER_THREAD: usize = 4;

impl WriteCoalescer {
    /// For a connection that is driven by the current runtime.
    pub(crate) fn new() -> Self {
        let runtime = Handle::current();
        let runs_out_of_turn = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
        Self(runs_out_of_turn.then(|| Coalescing {
            in_flight: AtomicUsize::new(0),
            busy_from: BUSY_PER_THREAD * runtime.metrics().num_workers(),
            noop_task: NoopTask::start(),
        }))
    }

    /// The same operation, which is handed over when it is first polled.
    pub(crate) async fn coalesce<F: Future>(&self, mut operation: Pin<&mut F>) -> F::Output {
        let Some(Coalescing { in_flight, busy_from, noop_task }) = &self.0 else {
            return operation.await;
        };
        let is_busy = in_flight.fetch_add(1, Ordering::Relaxed) + 1 >= *busy_from;
        let _in_flight = InFlight(in_flight);
        let mut noop_task = is_busy.then_some(noop_task);
        poll_fn(|cx| {
            let polled = operation.as_mut().poll(cx);
            noop_task.take().inspect(|noop_task| noop_task.wake());
            polled
        })
        .await
    }
}

impl NoopTask {
    fn start() -> Self {
        let waker = Arc::new(OnceLock::new());
        let woken_by = Arc::clone(&waker);
        let idling = poll_fn(move |cx| {
            woken_by.get_or_init(|| cx.waker().clone());
            Poll::<()>::Pending
        });
        Self { waker, task: tokio::spawn(idling).abort_handle() }
    }

    fn wake(&self) {
        self.waker.get().inspect(|waker| waker.wake_by_ref());
    }
}

/// Its waker keeps the task, and the task its waker.
impl Drop for NoopTask {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
