//! One operation, from when it is first polled until it has come to something.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;
use tracing::{Level, Span, field};

use super::Call;
use crate::error::Error;
use crate::request::handle::SessionHandle;

const TARGET: &str = "session_runtime::operation";

/// Sees an operation through, if somebody listens when it begins. If nobody does, that is one look at `tracing`'s level, and the clock is not
/// read.
pub(crate) struct Watch<'a> {
    call: Call,
    field: Option<&'static str>,
    handle: Option<&'a SessionHandle>,
    progress: Progress,
}

enum Progress {
    /// The operation was not polled yet.
    Due,
    /// Somebody listens.
    Heard { since: Instant, span: Option<Box<Span>> },
    /// Nobody listens, or all is told.
    Done,
}

/// An operation that was given up before it had come to anything: with its request, most of the time.
const DROPPED: &str = "dropped";

impl<'a> Watch<'a> {
    pub(crate) fn new(call: Call, handle: &'a SessionHandle) -> Self {
        Self { call, field: None, handle: Some(handle), progress: Progress::Due }
    }

    pub(crate) fn without_session(call: Call) -> Self {
        Self { call, field: None, handle: None, progress: Progress::Due }
    }

    /// The operation is one on this field.
    pub(crate) fn on(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Sees this operation through.
    pub(crate) fn instrument<F>(self, operation: F) -> Traced<'a, F> {
        Traced { watch: self, operation }
    }

    fn poll<T>(&mut self, poll: impl FnOnce() -> Poll<Result<T, Error>>) -> Poll<Result<T, Error>> {
        if let Progress::Due = self.progress {
            self.progress = self.begin();
        }
        let Progress::Heard { span, .. } = &self.progress else { return poll() };
        let entered = span.as_ref().map(|span| span.enter());
        let polled = poll();
        if let Poll::Ready(result) = &polled {
            self.tell(result.as_ref().map_or_else(Error::outcome, |_| "ok"));
            drop(entered);
            self.progress = Progress::Done;
        }
        polled
    }

    fn begin(&self) -> Progress {
        let is_traced = tracing::enabled!(target: TARGET, Level::DEBUG);
        if !is_traced && !cfg!(feature = "metrics") {
            return Progress::Done;
        }
        Progress::Heard { since: Instant::now(), span: is_traced.then(|| Box::new(self.span())) }
    }

    fn span(&self) -> Span {
        tracing::debug_span!(
            target: TARGET,
            "session_operation",
            operation = self.call.name(),
            field = self.field,
            session = field::Empty,
            outcome = field::Empty,
        )
    }

    fn tell(&self, outcome: &'static str) {
        let Progress::Heard { since, span } = &self.progress else { return };
        let duration = since.elapsed();
        #[cfg(feature = "metrics")]
        super::recorder::operation(self.call, outcome, duration);
        if let Some(span) = span {
            let session = self.handle.and_then(SessionHandle::last_id).map(field::display);
            tracing::debug!(
                target: TARGET,
                operation = self.call.name(),
                field = self.field,
                session,
                outcome,
                duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
                "session operation"
            );
            span.record("session", session).record("outcome", outcome);
        }
    }
}

pin_project! {
    /// An operation that is seen through.
    pub(crate) struct Traced<'a, F> {
        watch: Watch<'a>,
        #[pin]
        operation: F,
    }
}

impl<T, F: Future<Output = Result<T, Error>>> Future for Traced<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.watch.poll(|| this.operation.poll(cx))
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let Progress::Heard { span, .. } = &self.progress else { return };
        let _entered = span.as_ref().map(|span| span.enter());
        self.tell(DROPPED);
    }
}
