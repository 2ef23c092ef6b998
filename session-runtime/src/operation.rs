//! The future of an operation.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Error;

/// A boxed future. The methods of [`SessionStore`](crate::store::SessionStore) return this type.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An operation on a session. Nothing happens until you await the operation. In programs without
/// `async`, call `wait`, with the feature `blocking`.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
/// let write = session.set_count(7); // nothing happens yet
/// write.await?;
/// assert_eq!(session.count().await?, 7);
/// # });
/// ```
#[must_use = "a session operation does nothing until you await it"]
pub struct Operation<'a, T> {
    running: BoxFuture<'a, Result<T, Error>>,
}

impl<'a, T> Operation<'a, T> {
    pub(crate) fn new(operation: impl Future<Output = Result<T, Error>> + Send + 'a) -> Self {
        Self { running: Box::pin(operation) }
    }
}

impl<T> Future for Operation<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.running.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Operation<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}
