//! A field of a session, read when you await it.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::request::contention::Tries;
use crate::request::encrypted::Answer;
use crate::request::freshness::Freshness;
use crate::request::handle::SessionHandle;
use crate::session::form::{Plain, StoreReadable};
use crate::session::increment::Increment;
use crate::session::record::{self, Changes, indexed_change};
use crate::store::{Action, Modified};
use crate::telemetry::{OperationName, OperationSpan, record_origin};
use crate::value::{FieldSpec, IntoField};

/// A field of a session that has not been read yet.
///
/// Await the field to get the value, or call a method for any other operation. Nothing is sent
/// before you await the field or the [`Operation`] that a method returns.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!(struct Visitor { count: u64, name: String } |session| {
/// let count = session.count(); // nothing happens yet
/// assert_eq!(count.await?, 0);
///
/// session.count().set(7).await?;
/// let (count, name) = tokio::join!(session.count(), session.name()); // side by side
/// assert_eq!((count?, name?.as_str()), (7, ""));
/// # });
/// ```
#[must_use = "a session field is not read until you await it: `session.field().await?`"]
pub struct Field<'a, T: 'static, F = Plain> {
    handle: &'a SessionHandle,
    spec: &'static FieldSpec<T>,
    state: State<'a, T>,
    form: PhantomData<fn() -> F>,
}

/// A single enum, so that the freshness takes no memory of its own.
enum State<'a, T> {
    Unread(Freshness),
    Reading(Operation<'a, T>),
}

impl<'a, T: 'static, F> Field<'a, T, F> {
    pub(crate) fn new(handle: &'a SessionHandle, spec: &'static FieldSpec<T>) -> Self {
        let state = State::Unread(Freshness::of(spec.is_cached()));
        Self { handle, spec, state, form: PhantomData }
    }

    pub(crate) fn handle(&self) -> &SessionHandle {
        self.handle
    }

    pub(crate) fn spec(&self) -> &'static FieldSpec<T> {
        self.spec
    }

    pub(crate) fn freshness(&self) -> Freshness {
        match self.state {
            State::Unread(freshness) => freshness,
            State::Reading(_) => Freshness::Current,
        }
    }

    /// Makes reads ask the store, even if the [near cache](crate::NearCache) has the value.
    ///
    /// This is for guards on fields with `#[session(cached)]`. Other fields always ask the store,
    /// and so do writes. Call `fresh` before [`get`](Self::get), [`exists`](Self::exists),
    /// [`raw`](Self::raw), [`update`](Self::update) or the await. In a
    /// [batch](struct@crate::Session#method.read), a single fresh field makes all fields ask the
    /// store, in one round trip.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { #[session(cached)] theme: String, #[session(cached)] user: Option<u64> } |session| {
    /// // For a page: the value may come from the near cache.
    /// assert_eq!(session.user().await?, None);
    ///
    /// // For a guard: the value that the store has now.
    /// assert_eq!(session.user().fresh().await?, None);
    ///
    /// let (theme, user) = session.read((session.theme(), session.user().fresh())).await?;
    /// assert_eq!((theme.as_str(), user), ("", None));
    /// # });
    /// ```
    #[doc(alias = "no_cache")]
    #[doc(alias = "uncached")]
    pub fn fresh(self) -> Self {
        Self { state: State::Unread(Freshness::Current), ..self }
    }

    /// Reads the field. Awaiting the field does the same.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_decode`] if the stored bytes are not a `T`, and with
    /// [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// let count = session.count().get();
    /// assert_eq!(count.await?, 0);
    /// # });
    /// ```
    pub fn get(self) -> Operation<'a, T> {
        get(self.handle, self.spec, self.freshness())
    }

    /// Sets the field. The generated setter does the same, but accepts more types. This method
    /// takes only a `T`, so that the compiler can infer the value's type.
    ///
    /// # Errors
    ///
    /// - [`Error::is_gone`] if the session was ended in the meantime.
    /// - [`Error::is_too_large`] if the value exceeds the limit.
    /// - [`Error::is_encode`] if the value has no stored form.
    /// - [`Error::is_headers_sent`] if the write would create a session after the response headers
    ///   were sent.
    /// - [`Error::is_unavailable`] if the store cannot be reached. [`Error::is_outcome_unknown`]
    ///   holds as well if the value may or may not have been written.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.count().set("7".parse().expect("a number")).await?;
    /// assert_eq!(session.count().await?, 7);
    /// # });
    /// ```
    #[doc(alias = "insert")]
    pub fn set(self, value: T) -> Operation<'a, ()> {
        self.assign(value)
    }

    /// Returns whether the session has the field. A missing field reads as its default.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// assert!(!session.count().exists().await?);
    /// session.set_count(0).await?;
    /// assert!(session.count().exists().await?);
    /// # });
    /// ```
    pub fn exists(self) -> Operation<'a, bool> {
        let (handle, spec, freshness) = (self.handle, self.spec, self.freshness());
        Operation::new(span(OperationName::Exists, handle, spec).instrument(async move {
            match spec.alias() {
                None => handle.contains(spec.name(), freshness).await,
                Some(_) => Ok(stored_value(handle, spec, freshness).await?.value.is_some()),
            }
        }))
    }

    /// Returns the stored bytes, or `None` if the field is missing.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.set_count(7).await?;
    /// assert_eq!(session.count().raw().await?.as_deref(), Some(&b"7"[..]));
    /// # });
    /// ```
    pub fn raw(self) -> Operation<'a, Option<Bytes>> {
        let (handle, spec, freshness) = (self.handle, self.spec, self.freshness());
        Operation::new(
            span(OperationName::Raw, handle, spec)
                .instrument(async move { Ok(stored_value(handle, spec, freshness).await?.value) }),
        )
    }

    /// Removes the field, and returns whether the session had it. Never creates a session.
    ///
    /// # Errors
    ///
    /// The same as for [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.set_count(7).await?;
    /// assert!(session.count().remove().await?);
    /// assert!(!session.count().remove().await?);
    /// # });
    /// ```
    #[doc(alias = "delete")]
    pub fn remove(self) -> Operation<'a, bool> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::Remove, handle, spec).instrument(async move {
            let mut changes = Changes::default();
            changes.remove(spec);
            Ok(handle.write(changes.as_set()).await? > 0)
        }))
    }

    /// Removes the field, and returns the value or the field's default. If several requests take
    /// the field concurrently, only the first gets the value. Never creates a session.
    ///
    /// # Errors
    ///
    /// The same as for [`set`](Self::set), and [`Error::is_decode`] if the stored bytes are not a
    /// `T`. The field is removed even then.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { flash: Option<String> } |session| {
    /// session.set_flash("saved").await?;
    /// assert_eq!(session.flash().take().await?.as_deref(), Some("saved"));
    /// assert_eq!(session.flash().take().await?, None);
    /// # });
    /// ```
    #[doc(alias = "flash")]
    pub fn take(self) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(OperationName::Take, handle, spec).instrument(async move {
            read(handle, spec, value_of(modify(handle, spec, Action::Replace(None)).await?))
        }))
    }

    /// Sets the field, and returns the previous value or the field's default.
    ///
    /// # Errors
    ///
    /// The same as for [`set`](Self::set), and [`Error::is_decode`] if the previous bytes are not a
    /// `T`. The field is replaced even then.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { name: String } |session| {
    /// assert_eq!(session.name().replace("Ada").await?, "");
    /// assert_eq!(session.name().replace("Grace").await?, "Ada");
    /// # });
    /// ```
    pub fn replace(self, value: impl IntoField<T>) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        let stored = IntoField::with_value(value, |value| spec.write(value));
        Operation::new(span(OperationName::Replace, handle, spec).instrument(async move {
            read(handle, spec, value_of(modify(handle, spec, Action::Replace(stored?)).await?))
        }))
    }

    /// Sets a missing field, and returns the field's value. Concurrent calls all return the same
    /// value.
    ///
    /// # Errors
    ///
    /// The same as for [`set`](Self::set), and [`Error::is_decode`] if the stored bytes are not a
    /// `T`.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { name: String } |session| {
    /// assert_eq!(session.name().get_or_set("Ada").await?, "Ada");
    /// assert_eq!(session.name().get_or_set("Grace").await?, "Ada");
    /// # });
    /// ```
    #[doc(alias = "get_or_insert")]
    pub fn get_or_set(self, value: impl IntoField<T>) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        let stored = IntoField::with_value(value, |value| spec.write(value));
        Operation::new(span(OperationName::GetOrSet, handle, spec).instrument(async move {
            let answer = match stored? {
                Some(stored) => value_of(modify(handle, spec, Action::GetOrSet(stored)).await?),
                None => stored_value(handle, spec, Freshness::Current).await?,
            };
            read(handle, spec, answer)
        }))
    }

    /// Sets the field to `new` if the value is `old`, and returns whether the field was set. A
    /// missing field counts as the default.
    ///
    /// The comparison is between **stored bytes**. Equal values may differ in their bytes. Examples
    /// are `1e3` and `1000`, a `HashMap` stored as JSON, whose order varies, and JSON from before
    /// the type got another field. For fields with `json` or `with`, use [`update`](Self::update),
    /// which compares with the bytes that were read.
    ///
    /// # Errors
    ///
    /// The same as for [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { name: String } |session| {
    /// assert!(session.name().compare_and_set("", "Ada").await?);
    /// assert!(!session.name().compare_and_set("", "Grace").await?);
    /// # });
    /// ```
    pub fn compare_and_set(
        self,
        old: impl IntoField<T>,
        new: impl IntoField<T>,
    ) -> Operation<'a, bool>
    where
        F: StoreReadable,
    {
        let Self { handle, spec, .. } = self;
        let (old, new) = (
            IntoField::with_value(old, |old| spec.write(old)),
            IntoField::with_value(new, |new| spec.write(new)),
        );
        Operation::new(span(OperationName::CompareAndSet, handle, spec).instrument(async move {
            let (expected, value) = (old?, new?);
            let or_missing = spec.write(&spec.default())? == expected;
            if expected.is_none() && !or_missing {
                // A missing field reads as its default, which differs from the expected value.
                return Ok(false);
            }
            let action = Action::CompareAndSet { expected, or_missing, value };
            Ok(modify(handle, spec, action).await?.value == Some(Modified::Swapped(true)))
        }))
    }

    /// Changes the field's value with a function, and returns the new value. The function runs
    /// again if another writer changed the field in the meantime, and should have no side effects.
    /// A missing field counts as the default.
    ///
    /// Takes two round trips without contention. On Redis, concurrent updates of the same field in
    /// this process take turns. If another process changes the field first, the update is retried
    /// after a short random pause. Retries go on for the [`timeout`](crate::SessionConfig::timeout)
    /// of a store operation, counted from the first lost attempt. [`incr`](Self::incr) takes a
    /// single round trip and never meets contention.
    ///
    /// # Errors
    ///
    /// The same as for [`set`](Self::set), and [`Error::is_decode`] if the stored bytes are not a
    /// `T`. Fails with [`Error::is_contended`] if other writers were faster until the time ran out.
    /// The same error means that 1,000 updates of the field are already waiting in this process.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { #[session(json)] fruits: Vec<String> } |session| {
    /// let fruits = session.fruits().update(|mut fruits| {
    ///     fruits.push("fig".to_owned());
    ///     fruits
    /// });
    /// assert_eq!(fruits.await?, ["fig"]);
    /// # });
    /// ```
    pub fn update(self, mut change: impl FnMut(T) -> T + Send + 'a) -> Operation<'a, T>
    where
        T: Send,
    {
        let (handle, spec, mut freshness) = (self.handle, self.spec, self.freshness());
        Operation::new(span(OperationName::Update, handle, spec).instrument(async move {
            let mut tries = Tries::new(handle, spec.name());
            loop {
                tries.next().await?;
                let Answer { value: expected, session } =
                    stored_value(handle, spec, freshness).await?;
                let answer = Answer { value: expected.clone(), session };
                let new = change(read(handle, spec, answer)?);
                let value = spec.write(&new)?;
                let or_missing = expected.is_none();
                let action = Action::CompareAndSet { expected, or_missing, value };
                if modify(handle, spec, action).await?.value == Some(Modified::Swapped(true)) {
                    return Ok(new);
                }
                freshness = Freshness::Current;
            }
        }))
    }

    /// Adds to a number, and returns the sum. Concurrent additions are all counted. A missing field
    /// counts as the default.
    ///
    /// # Errors
    ///
    /// The same as for [`set`](Self::set). Fails with [`Error::is_out_of_range`] if the sum does
    /// not fit a `T`, and with [`Error::is_decode`] if the stored bytes are not a number.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// assert_eq!(session.count().incr(2).await?, 2);
    /// assert_eq!(session.count().incr(1).await?, 3);
    /// assert!(session.count().incr(u64::MAX).await.is_err_and(|error| error.is_out_of_range()));
    /// # });
    /// ```
    pub fn incr(self, by: T) -> Operation<'a, T>
    where
        T: Increment,
        F: StoreReadable,
    {
        let action = T::add(by, self.spec.default());
        self.count(OperationName::Incr, action)
    }

    /// Subtracts from a number, and returns the difference. Otherwise the same as
    /// [`incr`](Self::incr).
    ///
    /// # Errors
    ///
    /// The same as for [`incr`](Self::incr).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { #[session(default = 5)] tries_left: u8 } |session| {
    /// assert_eq!(session.tries_left().decr(1).await?, 4);
    /// # });
    /// ```
    pub fn decr(self, by: T) -> Operation<'a, T>
    where
        T: Increment,
        F: StoreReadable,
    {
        let action = T::subtract(by, self.spec.default());
        self.count(OperationName::Decr, action)
    }

    /// Sets the field's own expiry, counted from now, and returns whether the session has the
    /// field. Never creates a session.
    ///
    /// A later write of the field ends this expiry, or starts the `ttl` with which the field is
    /// declared. Like every write, this call also refreshes the session's expiry. The session's
    /// expiry applies to all fields, so a field never outlives its session.
    ///
    /// Redis counts in milliseconds. Shorter times count as a millisecond. Takes a single round
    /// trip. A field with an `alias` takes a second round trip if nothing is stored under the
    /// present name.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unsupported`] if `ttl` is zero, or if the server cannot expire single
    /// fields. Redis 7.4, Valkey 9 and later versions can, and so can the memory store. Other
    /// errors are the same as for [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { code: String } |session| {
    /// use std::time::Duration;
    ///
    /// session.set_code("482 913").await?;
    /// session.code().expire_in(Duration::from_secs(300)).await?;
    /// # });
    /// ```
    #[doc(alias = "ttl")]
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

    /// Returns the time until the field's own expiry. `None` means that the field has no expiry or
    /// is missing. Refreshes nothing.
    ///
    /// The session may expire sooner, and the field with the session. See
    /// [`Session::expires_in`](struct@crate::Session#method.expires_in). Takes a single round trip.
    /// A field with an `alias` takes a second round trip if the present name has no expiry.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { code: String } |session| {
    /// use std::time::Duration;
    /// session.set_code("482 913").await?;
    /// assert_eq!(session.code().expires_in().await?, None);
    /// session.code().expire_in(Duration::from_secs(300)).await?;
    /// assert!(session.code().expires_in().await?.is_some());
    /// # });
    /// ```
    #[doc(alias = "ttl")]
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

    /// The generated setter. Encodes the value at once, and writes when awaited.
    pub(crate) fn assign(self, value: impl IntoField<T>) -> Operation<'a, ()> {
        let Self { handle, spec, .. } = self;
        let mut changes = Changes::default();
        let encoded = IntoField::with_value(value, |value| changes.set(spec, value));
        Operation::new(span(OperationName::Set, handle, spec).instrument(async move {
            encoded?;
            handle.write(changes.as_set()).await.map(|_| ())
        }))
    }

    fn count(self, name: OperationName, action: Action) -> Operation<'a, T> {
        let Self { handle, spec, .. } = self;
        Operation::new(span(name, handle, spec).instrument(async move {
            let mut modified = modify(handle, spec, action.clone()).await?.value;
            if modified == Some(Modified::NotANumber) && spec.is_lenient() {
                set_to_default(handle, spec).await?;
                modified = modify(handle, spec, action).await?.value;
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

fn get<'a, T>(
    handle: &'a SessionHandle,
    spec: &'static FieldSpec<T>,
    freshness: Freshness,
) -> Operation<'a, T> {
    Operation::new(span(OperationName::Get, handle, spec).instrument(async move {
        if spec.is_plain_and_single() {
            return spec.read(handle.get(spec.name(), freshness).await?);
        }
        read(handle, spec, stored_value(handle, spec, freshness).await?)
    }))
}

/// Returns the field's value if the near cache has it, at once and without a box.
fn kept<T>(handle: &SessionHandle, spec: &'static FieldSpec<T>) -> Option<Result<T, Error>> {
    let values = match spec.alias() {
        None => handle.kept(&[spec.name()]),
        Some(alias) => handle.kept(&[spec.name(), alias]),
    };
    let (values, session) = values?;
    let answer = Answer { value: values.into_iter().flatten().next(), session: Some(session) };
    Some(span(OperationName::Get, handle, spec).run(|| {
        record_origin(true);
        read(handle, spec, answer)
    }))
}

/// Decrypts and decodes the stored value of a field.
fn read<T>(
    handle: &SessionHandle,
    spec: &FieldSpec<T>,
    answer: Answer<Option<Bytes>>,
) -> Result<T, Error> {
    record::read(spec, handle.manager(), answer.session.as_ref(), answer.value)
}

/// The stored bytes of a field, under its present name or its former name. Encrypted bytes come
/// with their session.
async fn stored_value<T>(
    handle: &SessionHandle,
    spec: &'static FieldSpec<T>,
    freshness: Freshness,
) -> Result<Answer<Option<Bytes>>, Error> {
    if spec.is_plain_and_single() {
        let value = handle.get(spec.name(), freshness).await?;
        return Ok(Answer { value, session: None });
    }
    let names: SmallVec<[_; 2]> = spec.read_names().collect();
    let Answer { value, session } = handle.get_many(&names, freshness).await?;
    Ok(Answer { value: value.into_iter().flatten().next(), session })
}

fn modify<'a, T>(
    handle: &'a SessionHandle,
    spec: &FieldSpec<T>,
    action: Action,
) -> impl Future<Output = Result<Answer<Option<Modified>>, Error>> + use<'a, T> {
    let indexed = indexed_change(spec, new_value(&action));
    handle.modify(spec.name(), spec.alias(), spec.ttl(), action, indexed, spec.encryption())
}

/// Returns the value that the field gets if the action changes the field. Sums have no index.
fn new_value(action: &Action) -> Option<&Bytes> {
    match action {
        Action::GetOrSet(value) => Some(value),
        Action::Replace(value) | Action::CompareAndSet { value, .. } => value.as_ref(),
        Action::AddInteger { .. } | Action::AddFloat { .. } => None,
    }
}

/// Replaces the invalid stored bytes, unless these have changed in the meantime.
async fn set_to_default<T>(
    handle: &SessionHandle,
    spec: &'static FieldSpec<T>,
) -> Result<(), Error> {
    let expected = stored_value(handle, spec, Freshness::Current).await?.value;
    let (or_missing, value) = (expected.is_none(), spec.write(&spec.default())?);
    modify(handle, spec, Action::CompareAndSet { expected, or_missing, value }).await.map(|_| ())
}

fn value_of(modified: Answer<Option<Modified>>) -> Answer<Option<Bytes>> {
    let value = match modified.value {
        Some(Modified::Value(value)) => value,
        _ => None,
    };
    Answer { value, session: modified.session }
}

impl<'a, T: 'static, F> Future for Field<'a, T, F> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { handle, spec, .. } = *self;
        loop {
            match &mut self.state {
                State::Reading(reading) => return Pin::new(reading).poll(cx),
                State::Unread(freshness) => {
                    let mut freshness = *freshness;
                    if freshness == Freshness::MayBeCached {
                        if handle.has_near_cache()
                            && let Some(value) = kept(handle, spec)
                        {
                            return Poll::Ready(value);
                        }
                        freshness = Freshness::WasNotKept;
                    }
                    self.state = State::Reading(get(handle, spec, freshness));
                }
            }
        }
    }
}

impl<T: 'static, F> fmt::Debug for Field<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(self.spec).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Handlers keep fields in their futures.
    #[test]
    fn a_field_is_two_references_and_an_operation() {
        let parts = size_of::<(&(), &(), Operation<'_, u64>)>();
        assert_eq!(size_of::<Field<'_, u64>>(), parts);
    }
}
