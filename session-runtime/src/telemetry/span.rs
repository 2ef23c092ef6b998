//! The span of an operation, from its first poll to its outcome.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;
use tracing::{Level, Span, field};

use super::OperationName;
use crate::error::Error;
use crate::id::SessionId;

const TARGET: &str = "session_runtime::operation";

/// The outcome of a future that was dropped before it completed, usually because the request was
/// cancelled.
const DROPPED: &str = "dropped";

/// Records whether the near cache or the store gave the values of the operation under way.
#[inline]
pub(crate) fn record_origin(is_kept: bool) {
    if tracing::span_enabled!(target: TARGET, Level::DEBUG) {
        Span::current().record("from", if is_kept { "near_cache" } else { "store" });
    }
}

/// Returns whether a subscriber takes the span or the event of an operation.
///
/// `enabled!` would ask for neither of the two, which a filter for spans or for events refuses.
#[inline]
fn is_traced() -> bool {
    tracing::level_enabled!(Level::DEBUG)
        && (tracing::span_enabled!(target: TARGET, Level::DEBUG)
            || tracing::event_enabled!(target: TARGET, Level::DEBUG))
}

/// Gives the id of an operation's session.
pub(crate) trait LastId: Sync {
    /// Returns the last known id, if the request has asked for its session.
    fn last_id(&self) -> Option<SessionId>;
}

/// Reports an operation, if there is a subscriber when the operation starts.
///
/// Without a subscriber, the cost is a check of `tracing`'s level, and the clock is not read.
pub(crate) struct OperationSpan<'a> {
    name: OperationName,
    field: Option<&'static str>,
    session: Option<&'a dyn LastId>,
    progress: Progress,
}

enum Progress {
    /// The operation was not polled yet.
    NotStarted,
    /// The operation is under way, and there is a subscriber.
    Recording { since: Instant, span: Option<Box<Span>> },
    /// There is no subscriber, or the outcome is reported.
    Silent,
}

impl<'a> OperationSpan<'a> {
    /// Creates the span of an operation on a request's session.
    pub(crate) fn new(name: OperationName, session: &'a dyn LastId) -> Self {
        Self { name, field: None, session: Some(session), progress: Progress::NotStarted }
    }

    /// Creates the span of an operation without a request.
    pub(crate) fn without_session(name: OperationName) -> Self {
        Self { name, field: None, session: None, progress: Progress::NotStarted }
    }

    /// Adds the field of the operation.
    pub(crate) fn with_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Wraps the operation, so that each poll happens within the span.
    pub(crate) fn instrument<F>(self, operation: F) -> Instrumented<'a, F> {
        Instrumented { span: self, operation }
    }

    /// Runs an operation that does not wait.
    pub(crate) fn run<T>(
        mut self,
        operation: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.progress = self.start();
        let Progress::Recording { span, .. } = &self.progress else { return operation() };
        let entered = span.as_ref().map(|span| span.enter());
        let result = operation();
        self.report(result.as_ref().map_or_else(Error::outcome, |_| "ok"));
        drop(entered);
        self.progress = Progress::Silent;
        result
    }

    fn poll<T>(&mut self, poll: impl FnOnce() -> Poll<Result<T, Error>>) -> Poll<Result<T, Error>> {
        if let Progress::NotStarted = self.progress {
            self.progress = self.start();
        }
        let Progress::Recording { span, .. } = &self.progress else { return poll() };
        let entered = span.as_ref().map(|span| span.enter());
        let polled = poll();
        if let Poll::Ready(result) = &polled {
            self.report(result.as_ref().map_or_else(Error::outcome, |_| "ok"));
            drop(entered);
            self.progress = Progress::Silent;
        }
        polled
    }

    fn start(&self) -> Progress {
        let is_traced = is_traced();
        if !is_traced && !cfg!(feature = "metrics") {
            return Progress::Silent;
        }
        let span = is_traced.then(|| Box::new(self.tracing_span()));
        Progress::Recording { since: Instant::now(), span }
    }

    fn tracing_span(&self) -> Span {
        tracing::debug_span!(
            target: TARGET,
            "session_operation",
            operation = self.name.as_str(),
            field = self.field,
            session = field::Empty,
            from = field::Empty,
            outcome = field::Empty,
        )
    }

    fn report(&self, outcome: &'static str) {
        let Progress::Recording { since, span } = &self.progress else { return };
        let duration = since.elapsed();
        #[cfg(feature = "metrics")]
        super::recorder::record_operation(self.name, outcome, duration);
        if let Some(span) = span {
            let session = self.session.and_then(LastId::last_id).map(field::display);
            tracing::debug!(
                target: TARGET,
                operation = self.name.as_str(),
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

impl Drop for OperationSpan<'_> {
    fn drop(&mut self) {
        let Progress::Recording { span, .. } = &self.progress else { return };
        let _entered = span.as_ref().map(|span| span.enter());
        self.report(DROPPED);
    }
}

pin_project! {
    /// An operation within its span.
    pub(crate) struct Instrumented<'a, F> {
        span: OperationSpan<'a>,
        #[pin]
        operation: F,
    }
}

impl<T, F: Future<Output = Result<T, Error>>> Future for Instrumented<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.span.poll(|| this.operation.poll(cx))
    }
}
