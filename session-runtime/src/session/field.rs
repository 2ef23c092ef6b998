//! One field of one session, lazily.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::request::contention::Tries;
use crate::request::handle::SessionHandle;
use crate::session::increment::Increment;
use crate::session::record::Changes;
use crate::store::{Action, Modified};
use crate::telemetry::{OperationName, OperationSpan};
use crate::value::{FieldSpec, IntoField};

/// One field of a session, not read yet.
///
/// Awaiting it gives the field's value. Its methods are the other operations on the field. Nothing
/// happens before it, or what a method returned, is awaited.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # use session_runtime::{Session, SessionConfig, Sessions};
/// # #[derive(Session)]
/// # struct Visitor { count: u64, name: String }
/// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
/// # let session = sessions.create::<Visitor>().await?;
/// let count = session.count(); // nothing happens yet
/// assert_eq!(count.await?, 0);
///
/// session.count().set(7).await?;
/// let (count, name) = tokio::join!(session.count(), session.name()); // side by side
/// assert_eq!((count?, name?.as_str()), (7, ""));
/// # Ok::<(), session_runtime::Error>(())
/// # }).unwrap();
/// # }
/// ```
#[must_use = "a session field is read when it is awaited: `session.field().await?`"]
pub struct Field<'a, T: 'static> {
    handle: &'a SessionHandle,
    spec: &'static FieldSpec<T>,
    reading: Option<Operation<'a, T>>,
}

impl<'a, T: 'static> Field<'a, T> {
    pub(crate) fn new(handle: &'a SessionHandle, spec: &'static FieldSpec<T>) -> Self {
        Self { handle, spec, reading: None }
    }

    pub(crate) fn handle(&self) -> &SessionHandle {
        self.handle
    }

    pub(crate) fn spec(&self) -> &'static FieldSpec<T> {
        self.spec
    }

    /// Reads the field. The same as awaiting it.
    ///
    /// # Errors
    ///
    /// [`Error::is_decode`] if what is stored is not a `T`, [`Error::is_unavailable`] if the store
    /// cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// let count = session.count().get();
    /// assert_eq!(count.await?, 0);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn get(self) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        Operation::new(
            span(OperationName::Get, handle, spec)
                .instrument(async move { spec.read(stored_value(handle, spec).await?) }),
        )
    }

    /// Gives the field a value. The same as the generated setter, but for values whose type is to
    /// be inferred: it takes a `T` alone.
    ///
    /// # Errors
    ///
    /// [`Error::is_gone`] if the session was ended meanwhile, [`Error::is_too_large`] if the value
    /// is, [`Error::is_encode`] if it has no stored form, [`Error::is_headers_sent`] if it
    /// would begin a session after the response's head was sent, [`Error::is_unavailable`] if the
    /// store cannot be reached, [`Error::is_outcome_unknown`] too if it is not known whether it
    /// was written.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.count().set("7".parse().expect("a number")).await?;
    /// assert_eq!(session.count().await?, 7);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "insert")]
    pub fn set(self, value: T) -> Operation<'a, ()> {
        self.assign(value)
    }

    /// Whether the field is there. A missing field reads as its default.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// assert!(!session.count().exists().await?);
    /// session.set_count(0).await?;
    /// assert!(session.count().exists().await?);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn exists(self) -> Operation<'a, bool> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::Exists, handle, spec).instrument(async move {
            match spec.alias() {
                None => handle.contains(spec.name()).await,
                Some(_) => Ok(stored_value(handle, spec).await?.is_some()),
            }
        }))
    }

    /// The stored bytes, or `None` if the field is missing.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(7).await?;
    /// assert_eq!(session.count().raw().await?.as_deref(), Some(&b"7"[..]));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn raw(self) -> Operation<'a, Option<Bytes>> {
        let Self { handle, spec, .. } = self;
        Operation::new(
            span(OperationName::Raw, handle, spec).instrument(stored_value(handle, spec)),
        )
    }

    /// Removes the field, and says whether it was there. Begins no session.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(7).await?;
    /// assert!(session.count().remove().await?);
    /// assert!(!session.count().remove().await?);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "delete")]
    pub fn remove(self) -> Operation<'a, bool> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::Remove, handle, spec).instrument(async move {
            let mut changes = Changes::default();
            changes.remove(spec);
            Ok(handle.write(&changes.into_vec()).await? > 0)
        }))
    }

    /// Removes the field and gives what it was, or its default. Of several at once, one gets the
    /// value. Begins no session.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), and [`Error::is_decode`] if what was stored is not a `T`; it is
    /// removed all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { flash: Option<String> }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_flash("saved").await?;
    /// assert_eq!(session.flash().take().await?.as_deref(), Some("saved"));
    /// assert_eq!(session.flash().take().await?, None);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "flash")]
    pub fn take(self) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::Take, handle, spec).instrument(async move {
            spec.read(value_of(modify(handle, spec, Action::Replace(None)).await?))
        }))
    }

    /// Gives the field a value and gives back what it was before, or its default.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), and [`Error::is_decode`] if what was stored is not a `T`; it is
    /// replaced all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { name: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// assert_eq!(session.name().replace("Ada").await?, "");
    /// assert_eq!(session.name().replace("Grace").await?, "Ada");
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn replace(self, value: impl IntoField<T>) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        let stored = IntoField::with_value(value, |value| spec.write(value));
        Operation::new(span(OperationName::Replace, handle, spec).instrument(async move {
            spec.read(value_of(modify(handle, spec, Action::Replace(stored?)).await?))
        }))
    }

    /// Gives the field a value if it is missing, and gives what it is then: one value for all that
    /// do so at once.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), and [`Error::is_decode`] if what is stored is not a `T`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { name: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// assert_eq!(session.name().get_or_set("Ada").await?, "Ada");
    /// assert_eq!(session.name().get_or_set("Grace").await?, "Ada");
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn get_or_set(self, value: impl IntoField<T>) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        let stored = IntoField::with_value(value, |value| spec.write(value));
        Operation::new(span(OperationName::GetOrSet, handle, spec).instrument(async move {
            match stored? {
                Some(stored) => {
                    spec.read(value_of(modify(handle, spec, Action::GetOrSet(stored)).await?))
                }
                None => spec.read(stored_value(handle, spec).await?),
            }
        }))
    }

    /// Gives the field the value `new` if it is `old`, and says whether it did. A missing field is
    /// its default.
    ///
    /// What is compared is the **stored form**, byte for byte. A value that was stored in another
    /// spelling is not equal: `1e3` for `1000`, a `HashMap` as JSON, whose order is never the
    /// same, JSON from before its type got another field. For fields with `json` or `with`, use
    /// [`update`](Self::update), which compares with the bytes that it read.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { name: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// assert!(session.name().compare_and_set("", "Ada").await?);
    /// assert!(!session.name().compare_and_set("", "Grace").await?);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn compare_and_set(
        self,
        old: impl IntoField<T>,
        new: impl IntoField<T>,
    ) -> Operation<'a, bool> {
        let Self { handle, spec, .. } = self;
        let (old, new) = (
            IntoField::with_value(old, |old| spec.write(old)),
            IntoField::with_value(new, |new| spec.write(new)),
        );
        Operation::new(span(OperationName::CompareAndSet, handle, spec).instrument(async move {
            let (expected, value) = (old?, new?);
            let or_missing = spec.write(&spec.default())? == expected;
            if expected.is_none() && !or_missing {
                // A field that is missing reads as its default, which is not what is expected.
                return Ok(false);
            }
            let action = Action::CompareAndSet { expected, or_missing, value };
            Ok(modify(handle, spec, action).await? == Some(Modified::Swapped(true)))
        }))
    }

    /// Changes the field's value by a function of it, and gives the new value. The function is
    /// called again if somebody else changed the field meanwhile, so it computes and does
    /// nothing else. A missing field is its default.
    ///
    /// Two round trips when nobody interferes. On Redis, the updates of one field that meet in this
    /// process take turns. Against other processes an update is tried again after a short pause
    /// of random length. From the first try that was lost it goes on for the
    /// [`timeout`](crate::SessionConfig::timeout) of one trip to the store.
    /// [`incr`](Self::incr) takes one round trip, and is never contended.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), [`Error::is_decode`] if the stored bytes are not a `T`.
    /// [`Error::is_contended`] if others were faster until the time was over, or if 1,000
    /// updates of the field wait in this process already.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(json)] fruits: Vec<String> }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// let fruits = session.fruits().update(|mut fruits| {
    ///     fruits.push("fig".to_owned());
    ///     fruits
    /// });
    /// assert_eq!(fruits.await?, ["fig"]);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn update(self, mut change: impl FnMut(T) -> T + Send + 'a) -> Operation<'a, T>
    where
        T: Send,
    {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::Update, handle, spec).instrument(async move {
            let mut tries = Tries::new(handle, spec.name());
            loop {
                tries.next().await?;
                let expected = stored_value(handle, spec).await?;
                let new = change(spec.read(expected.clone())?);
                let value = spec.write(&new)?;
                let or_missing = expected.is_none();
                let action = Action::CompareAndSet { expected, or_missing, value };
                if modify(handle, spec, action).await? == Some(Modified::Swapped(true)) {
                    return Ok(new);
                }
            }
        }))
    }

    /// Adds to a number and gives the sum. Exact, however many do so at once. A missing field is
    /// its default.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), [`Error::is_out_of_range`] if the sum is not a `T`,
    /// [`Error::is_decode`] if what is stored is not a number.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// assert_eq!(session.count().incr(2).await?, 2);
    /// assert_eq!(session.count().incr(1).await?, 3);
    /// assert!(session.count().incr(u64::MAX).await.is_err_and(|error| error.is_out_of_range()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn incr(self, by: T) -> Operation<'a, T>
    where
        T: Increment,
    {
        let action = T::add(by, self.spec.default());
        self.count(OperationName::Incr, action)
    }

    /// Subtracts from a number and gives the difference. Otherwise as [`incr`](Self::incr).
    ///
    /// # Errors
    ///
    /// As [`incr`](Self::incr).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(default = 5)] tries_left: u8 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// assert_eq!(session.tries_left().decr(1).await?, 4);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn decr(self, by: T) -> Operation<'a, T>
    where
        T: Increment,
    {
        let action = T::subtract(by, self.spec.default());
        self.count(OperationName::Decr, action)
    }

    /// Gives the field an expiry of its own, that long from now, and says whether the field is
    /// there. Begins no session.
    ///
    /// Whatever writes the field afterwards ends this expiry, or, if the field is declared with a
    /// `ttl`, sets that one. The session's own expiry is refreshed as by every write, and
    /// counts for all fields: a field goes with its session, however long it would have been kept
    /// itself. Redis counts in milliseconds; what is less than one is one. One round trip; a
    /// second one if the field has an `alias` and is not there under its own name.
    ///
    /// # Errors
    ///
    /// [`Error::is_unsupported`] for an expiry of zero, and on a server that cannot expire single
    /// fields: Redis 7.4 or later and Valkey 9 or later can, memory can. Otherwise as
    /// [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # use std::time::Duration;
    /// # use session_runtime::{Error, Session};
    /// # #[derive(Session)]
    /// # struct Visitor { code: String }
    /// # async fn example(session: Session<Visitor>) -> Result<(), Error> {
    /// session.set_code("482 913").await?;
    /// session.code().expire_in(Duration::from_secs(300)).await?;
    /// # Ok(())
    /// # }
    /// # let _ = example;
    /// # }
    /// ```
    pub fn expire_in(self, ttl: Duration) -> Operation<'a, bool> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::ExpireIn, handle, spec).instrument(async move {
            if ttl.is_zero() {
                return Err(Error::new(Kind::ExpiryOfZero));
            }
            for name in spec.read_names() {
                if handle.expire_field(name, ttl).await? {
                    return Ok(true);
                }
            }
            Ok(false)
        }))
    }

    /// How long from now the field is kept by its own expiry: `None` if it has none, or is not
    /// there. Refreshes nothing.
    ///
    /// The session may expire sooner, and the field with it: see
    /// [`Session::expires_in`](struct@crate::Session#method.expires_in). One round
    /// trip; a second one if the field has an `alias` and no expiry under its own name.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use std::time::Duration;
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { code: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_code("482 913").await?;
    /// assert_eq!(session.code().expires_in().await?, None);
    /// session.code().expire_in(Duration::from_secs(300)).await?;
    /// assert!(session.code().expires_in().await?.is_some());
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn expires_in(self) -> Operation<'a, Option<Duration>> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::ExpiresIn, handle, spec).instrument(async move {
            for name in spec.read_names() {
                if let Some(left) = handle.field_expires_in(name).await? {
                    return Ok(Some(left));
                }
            }
            Ok(None)
        }))
    }

    /// What the generated setter calls: encodes now, writes when awaited.
    pub(crate) fn assign(self, value: impl IntoField<T>) -> Operation<'a, ()> {
        let Self { handle, spec, .. } = self;
        let mut changes = Changes::default();
        let encoded = IntoField::with_value(value, |value| changes.set(spec, value));
        Operation::new(span(OperationName::Set, handle, spec).instrument(async move {
            encoded?;
            handle.write(&changes.into_vec()).await.map(|_| ())
        }))
    }

    fn count(self, name: OperationName, action: Action) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(name, handle, spec).instrument(async move {
            let mut modified = modify(handle, spec, action.clone()).await?;
            if modified == Some(Modified::NotANumber) && spec.is_lenient() {
                set_to_default(handle, spec).await?;
                modified = modify(handle, spec, action).await?;
            }
            match modified {
                Some(Modified::Sum(sum)) => spec.read(Some(sum)),
                Some(Modified::OutOfRange) => Err(spec.out_of_range()),
                _ => Err(spec.not_a_number()),
            }
        }))
    }
}

fn span<'a, T>(
    name: OperationName,
    handle: &'a SessionHandle,
    spec: &FieldSpec<T>,
) -> OperationSpan<'a> {
    OperationSpan::new(name, handle).with_field(spec.name())
}

/// The bytes that a field holds, under its own name or its former one.
async fn stored_value<T>(
    handle: &SessionHandle,
    spec: &'static FieldSpec<T>,
) -> Result<Option<Bytes>, Error> {
    match spec.alias() {
        None => handle.get(spec.name()).await,
        Some(alias) => {
            Ok(handle.get_many(&[spec.name(), alias]).await?.into_iter().flatten().next())
        }
    }
}

fn modify<'a, T>(
    handle: &'a SessionHandle,
    spec: &FieldSpec<T>,
    action: Action,
) -> impl Future<Output = Result<Option<Modified>, Error>> + use<'a, T> {
    handle.modify(spec.name(), spec.alias(), spec.ttl(), action)
}

/// In place of what is stored now and not valid, and of nothing else.
async fn set_to_default<T>(
    handle: &SessionHandle,
    spec: &'static FieldSpec<T>,
) -> Result<(), Error> {
    let expected = stored_value(handle, spec).await?;
    let (or_missing, value) = (expected.is_none(), spec.write(&spec.default())?);
    modify(handle, spec, Action::CompareAndSet { expected, or_missing, value }).await.map(|_| ())
}

fn value_of(modified: Option<Modified>) -> Option<Bytes> {
    match modified {
        Some(Modified::Value(value)) => value,
        _ => None,
    }
}

impl<'a, T: 'static> Future for Field<'a, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { handle, spec, .. } = *self;
        let reading = self.reading.get_or_insert_with(|| Field::new(handle, spec).get());
        Pin::new(reading).poll(cx)
    }
}

impl<T: 'static> fmt::Debug for Field<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(self.spec).finish()
    }
}
