//! Combines concurrent operations into one write.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::AbortHandle;

/// Combines the operations of a busy connection into fewer writes.
///
/// The first operation wakes the connection's driver. A thread of tokio's multi-threaded runtime
/// next runs the task woken last, before tasks that have waited longer. The driver would therefore
/// write each operation separately, with a system call here and another on the server.
///
/// While the connection is busy, each operation also wakes a task that does nothing. The driver is
/// then no longer the task woken last, and waits in the queue. Operations that were ready earlier
/// hand over their commands first, and the driver writes all of them together.
///
/// An idle connection skips this step, because an idle thread would be woken for the driver. A
/// current-thread runtime runs tasks in order and does not need this step.
pub(crate) struct WriteCoalescer(Option<Coalescing>);

/// The state for a runtime that runs tasks out of order.
struct Coalescing {
    in_flight: AtomicUsize,
    /// The number of operations in flight from which the connection is busy.
    busy_from: usize,
    noop_task: NoopTask,
}

/// The task that does nothing, on the runtime of the connection.
struct NoopTask {
    waker: Arc<OnceLock<Waker>>,
    task: AbortHandle,
}

/// An operation that was handed over and has no answer yet.
struct InFlight<'a>(&'a AtomicUsize);

/// The number of operations in flight that keeps a thread busy. With fewer operations, combining
/// costs more than is saved, measured on two threads with Redis on the same machine.
const BUSY_PER_THREAD: usize = 4;

impl WriteCoalescer {
    /// Creates a coalescer for a connection whose driver runs on the current runtime.
    pub(crate) fn new() -> Self {
        let runtime = Handle::current();
        let runs_out_of_turn = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
        Self(runs_out_of_turn.then(|| Coalescing {
            in_flight: AtomicUsize::new(0),
            busy_from: BUSY_PER_THREAD * runtime.metrics().num_workers(),
            noop_task: NoopTask::start(),
        }))
    }

    /// Runs an operation, which is handed over when first polled.
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

/// The waker keeps the task alive, and the task keeps the waker alive, so the task must be aborted.
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
