//! The library's background thread, for work that must not depend on a caller's runtime.

use std::future::{Future, pending};
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::runtime::{Builder, Handle};
#[cfg(feature = "admin")]
use tokio::sync::oneshot;
#[cfg(feature = "redis")]
use tokio::task::JoinHandle;

/// Returns the runtime of that thread. The first call starts the thread, which runs until the
/// program ends.
pub(crate) fn background() -> io::Result<Handle> {
    static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = &*runtime {
        return Ok(running.clone());
    }
    let started = start()?;
    Ok(runtime.insert(started).clone())
}

/// Runs a task on the background thread. A caller's runtime may never be polled again, and other
/// callers may need the task's result.
///
/// If the system gives no thread, the task runs on the current runtime.
#[cfg(feature = "redis")]
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let task = tracing::instrument::WithSubscriber::with_current_subscriber(task);
    match background() {
        Ok(runtime) => runtime.spawn(task),
        Err(_) => tokio::spawn(task),
    }
}

/// Runs a task on the current runtime, or on the background thread if there is none.
pub(crate) fn spawn_here(task: impl Future<Output = ()> + Send + 'static) {
    let task = tracing::instrument::WithSubscriber::with_current_subscriber(task);
    if let Ok(runtime) = Handle::try_current().or_else(|_| background().map_err(|_| ())) {
        runtime.spawn(task);
    }
}

/// Runs a future to its end in a task, even if nobody waits any more. Returns `None` if the task
/// was lost, by the end of its runtime or by a panic.
#[cfg(feature = "admin")]
pub(crate) async fn to_the_end<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let task = tracing::Instrument::in_current_span(task);
    let (done, result) = oneshot::channel();
    spawn_here(async move {
        // The receiver is gone if nobody waits any more.
        let _ = done.send(task.await);
    });
    result.await.ok()
}

/// Waits for a future, until this moment at most. The timer is on the background thread, because
/// the caller's runtime may have no timers.
pub(crate) async fn timeout_at(until: Instant, future: impl Future<Output = ()>) {
    match background() {
        Ok(runtime) => {
            let timeout = {
                let _entered = runtime.enter();
                tokio::time::timeout_at(until.into(), future)
            };
            let _ = timeout.await;
        }
        // Without another thread there is no timer.
        Err(_) => future.await,
    }
}

/// Waits until this moment. Without another thread there is no timer, and no wait.
#[cfg(feature = "encryption")]
pub(crate) async fn sleep_until(until: Instant) {
    if let Ok(runtime) = background() {
        let sleep = {
            let _entered = runtime.enter();
            tokio::time::sleep_until(until.into())
        };
        sleep.await;
    }
}

fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(pending::<()>());
    thread::Builder::new().name("session-background".to_owned()).spawn(run)?;
    Ok(handle)
}
