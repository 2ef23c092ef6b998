//! One field of one session, lazily.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::error::Error;
use crate::handle::SessionHandle;
use crate::schema::FieldSpec;
use crate::store::{BoxFuture, Change};
use crate::value::IntoField;

/// One field of a session, not read yet.
///
/// Awaiting it gives the field's value. Its methods are the other operations on the field. Nothing happens before it, or what a method
/// returned, is awaited.
#[must_use = "a session field is read when it is awaited: `session.field().await?`"]
pub struct Field<'a, T: 'static> {
    handle: &'a SessionHandle,
    spec: &'static FieldSpec<T>,
    reading: Option<BoxFuture<'a, Result<T, Error>>>,
}

impl<'a, T: 'static> Field<'a, T> {
    pub(crate) fn new(handle: &'a SessionHandle, spec: &'static FieldSpec<T>) -> Self {
        Self { handle, spec, reading: None }
    }

    /// Reads the field. The same as awaiting it.
    ///
    /// # Errors
    ///
    /// [`Error::is_decode`] if what is stored is not a `T`, [`Error::is_unavailable`] if the store is.
    pub fn get(self) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        Operation::new(async move { spec.read(handle.get(spec.name()).await?) })
    }

    /// Gives the field a value.
    pub fn set(self, value: T) -> Operation<'a, ()> {
        self.assign(value)
    }

    /// Whether the field is there. A missing field reads as its default.
    pub fn exists(self) -> Operation<'a, bool> {
        let Self { handle, spec, .. } = self;
        Operation::new(handle.contains(spec.name()))
    }

    /// The stored bytes, or `None` if the field is missing.
    pub fn raw(self) -> Operation<'a, Option<Bytes>> {
        let Self { handle, spec, .. } = self;
        Operation::new(handle.get(spec.name()))
    }

    /// Removes the field, and says whether it was there. Begins no session.
    pub fn remove(self) -> Operation<'a, bool> {
        let Self { handle, spec, .. } = self;
        Operation::new(async move { Ok(handle.write(&[Change::Remove { field: spec.name() }]).await? > 0) })
    }

    /// What the generated setter calls: encodes now, writes when awaited.
    pub(crate) fn assign(self, value: impl IntoField<T>) -> Operation<'a, ()> {
        let Self { handle, spec, .. } = self;
        let field = spec.name();
        let change = value.with(|value| spec.write(value)).map(|stored| match stored {
            Some(value) => Change::Set { field, value },
            None => Change::Remove { field },
        });
        Operation::new(async move { handle.write(&[change?]).await.map(|_| ()) })
    }
}

impl<'a, T: 'static> Future for Field<'a, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { handle, spec, .. } = *self;
        let read = self
            .reading
            .get_or_insert_with(|| Box::pin(async move { spec.read(handle.get(spec.name()).await?) }));
        read.as_mut().poll(cx)
    }
}

impl<T: 'static> fmt::Debug for Field<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(self.spec).finish()
    }
}

/// An operation on a session, carried out when it is awaited.
#[must_use = "a session operation is carried out when it is awaited"]
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
