//! Several fields in one round trip.

use std::fmt;
use std::num::NonZero;

use crate::config::Lifetime;
use crate::error::{Error, Kind};
use crate::id::SessionId;
use crate::lifecycle::RotationReason;
use crate::operation::Operation;
use crate::request::freshness::Freshness;
use crate::request::handle::SessionHandle;
use crate::request::indexed::IndexedChange;
use crate::request::rotate::{NewId, RotationBatch};
use crate::session::field::Field;
use crate::session::found::{Checkpoint, Surplus, make_room};
use crate::session::record::{Changes, Values};
use crate::store::{LoginGuard, StoreError};
use crate::telemetry::{OperationName, OperationSpan};
use crate::value::{FieldSpec, IntoField};

/// A batch of [`Field`]s for [`Session::read`](crate::Session::read) and
/// [`WriteBatch::keep_only`]: a tuple of up to twelve, or a `Vec` of fields of the same type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a batch of session fields",
    label = "expected a tuple of up to 12 fields, or a `Vec` of fields of one type",
    note = "for example `session.read((session.count(), session.name()))`"
)]
pub trait ReadBatch {
    /// The values that were read: a tuple or a `Vec`, as the batch is.
    type Output;

    /// The specs of the fields. The future of a read holds these and borrows no field.
    #[doc(hidden)]
    type Specs: Send + 'static;

    /// Returns whether a near cache may have all values of the batch.
    #[doc(hidden)]
    fn is_cached(&self) -> bool;

    #[doc(hidden)]
    fn specs(self, handle: &SessionHandle) -> Result<Self::Specs, Error>;

    #[doc(hidden)]
    fn names(specs: &Self::Specs, names: &mut Vec<&'static str>);

    #[doc(hidden)]
    fn decode(specs: Self::Specs, values: &mut Values<'_>) -> Result<Self::Output, Error>;
}

macro_rules! tuples {
    ($($field:ident: $lifetime:lifetime $type:ident $form:ident),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($lifetime,)+ $($type: 'static, $form,)+> ReadBatch
            for ($(Field<$lifetime, $type, $form>,)+)
        {
            type Output = ($($type,)+);
            type Specs = ($(&'static FieldSpec<$type>,)+);

            fn is_cached(&self) -> bool {
                let ($($field,)+) = self;
                $($field.freshness() == Freshness::MayBeCached)&&+
            }

            fn specs(self, handle: &SessionHandle) -> Result<Self::Specs, Error> {
                let ($($field,)+) = self;
                Ok(($($field.spec_of(handle)?,)+))
            }

            fn names(($($field,)+): &Self::Specs, names: &mut Vec<&'static str>) {
                $(names.extend($field.read_names());)+
            }

            fn decode(($($field,)+): Self::Specs, values: &mut Values<'_>) -> Result<Self::Output, Error> {
                Ok(($(values.take($field)?,)+))
            }
        }
    };
}

tuples!(a: 'a A FA);
tuples!(a: 'a A FA, b: 'b B FB);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE, f: 'f F FF);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE, f: 'f F FF, g: 'g G FG);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE, f: 'f F FF, g: 'g G FG, h: 'h H FH);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE, f: 'f F FF, g: 'g G FG, h: 'h H FH, i: 'i I FI);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE, f: 'f F FF, g: 'g G FG, h: 'h H FH, i: 'i I FI, j: 'j J FJ);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE, f: 'f F FF, g: 'g G FG, h: 'h H FH, i: 'i I FI, j: 'j J FJ, k: 'k K FK);
tuples!(a: 'a A FA, b: 'b B FB, c: 'c C FC, d: 'd D FD, e: 'e E FE, f: 'f F FF, g: 'g G FG, h: 'h H FH, i: 'i I FI, j: 'j J FJ, k: 'k K FK, l: 'l L FL);

#[diagnostic::do_not_recommend]
impl ReadBatch for () {
    type Output = ();
    type Specs = ();

    fn is_cached(&self) -> bool {
        false
    }

    fn specs(self, _: &SessionHandle) -> Result<(), Error> {
        Ok(())
    }

    fn names((): &(), _: &mut Vec<&'static str>) {}

    fn decode((): (), _: &mut Values<'_>) -> Result<(), Error> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static, F> ReadBatch for Vec<Field<'_, T, F>> {
    type Output = Vec<T>;
    type Specs = Vec<&'static FieldSpec<T>>;

    fn is_cached(&self) -> bool {
        !self.is_empty() && self.iter().all(|field| field.freshness() == Freshness::MayBeCached)
    }

    fn specs(self, handle: &SessionHandle) -> Result<Self::Specs, Error> {
        self.into_iter().map(|field| field.spec_of(handle)).collect()
    }

    fn names(specs: &Self::Specs, names: &mut Vec<&'static str>) {
        names.extend(specs.iter().flat_map(|spec| spec.read_names()));
    }

    fn decode(specs: Self::Specs, values: &mut Values<'_>) -> Result<Self::Output, Error> {
        specs.into_iter().map(|spec| values.take(spec)).collect()
    }
}

pub(crate) fn read<B: ReadBatch>(handle: &SessionHandle, batch: B) -> Operation<'_, B::Output> {
    let freshness = Freshness::of(batch.is_cached());
    let specs = batch.specs(handle);
    Operation::new(OperationSpan::new(OperationName::Read, handle).instrument(async move {
        let specs = specs?;
        let mut names = Vec::new();
        B::names(&specs, &mut names);
        let answer = handle.get_many(&names, freshness).await?;
        let mut values = Values::new(handle.manager(), answer);
        B::decode(specs, &mut values)
    }))
}

/// The number of times that a login makes room for itself.
const LOGIN_TRIES: usize = 100;

/// A batch of changes to several fields, made by [`Session::write`](crate::Session::write). The
/// store applies all changes or none.
///
/// The result is the same as if the changes were made in order. If a field is changed twice, the
/// last change counts.
///
/// Two schemas may share a stored field, under its present name in one schema and under its
/// [alias] in the other. The last change counts there too. A change of the
/// present name removes the value under the alias, even if an earlier change of this batch set that
/// value. A later change of the former name does not touch the present name, which reads prefer.
///
/// Nothing is sent before you await [`commit`](Self::commit).
#[cfg_attr(feature = "derive", doc = "\n\n[alias]: macro@crate::Session\n")]
#[cfg_attr(not(feature = "derive"), doc = "\n\n[alias]: crate#features\n")]
#[must_use = "nothing is written until you call `.commit().await?`"]
pub struct WriteBatch<'a> {
    handle: &'a SessionHandle,
    changes: Result<Changes, Error>,
    new_id: Option<RequestedId>,
    keep_only: Option<Vec<&'static str>>,
    conditions: Conditions,
}

/// The conditions of a login.
#[derive(Debug, Default)]
struct Conditions {
    checkpoint: Option<Checkpoint>,
    at_most: Option<(NonZero<u32>, Surplus)>,
}

/// The kind of new id that a batch asks for.
#[derive(Debug, Clone, Copy)]
enum RequestedId {
    Rotated,
    Renewed(Lifetime),
}

impl RequestedId {
    fn reason(self, handle: &SessionHandle) -> Result<RotationReason, Error> {
        match self {
            Self::Rotated => Ok(RotationReason::Rotate),
            Self::Renewed(lifetime) => {
                handle.manager().check_lifetime(lifetime)?;
                Ok(RotationReason::Renew(lifetime.class))
            }
        }
    }
}

impl<'a> WriteBatch<'a> {
    pub(crate) fn new(handle: &'a SessionHandle) -> Self {
        Self {
            handle,
            changes: Ok(Changes::default()),
            new_id: None,
            keep_only: None,
            conditions: Conditions::default(),
        }
    }

    /// Adds a change that sets a field.
    pub fn set<T: 'static, F>(self, field: Field<'_, T, F>, value: impl IntoField<T>) -> Self {
        self.change(|handle, changes| {
            let spec = field.spec_of(handle)?;
            changes.forget(spec);
            IntoField::with_value(value, |value| changes.set(spec, value))
        })
    }

    /// Adds a change that removes a field, if the session has that field.
    pub fn remove<T: 'static, F>(self, field: Field<'_, T, F>) -> Self {
        self.change(|handle, changes| {
            let spec = field.spec_of(handle)?;
            changes.forget(spec);
            changes.remove(spec);
            Ok(())
        })
    }

    /// Gives the session a new id and starts a lifetime, in the same step as the changes: a login.
    /// See [`Session::renew`](crate::Session::renew).
    ///
    /// Without a session, the changes create a session with this lifetime. The same holds if the
    /// browser's own logout, rotation or login has just ended the session.
    ///
    /// All fields stay, unless you call [`keep_only`](Self::keep_only). Without that call, another
    /// user gets the data of the user before, or the data of an anonymous visitor. The guide has
    /// [the whole login](crate::guide::login#login-in-one-step).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Auth { user: Option<u64>, theme: String } |session| {
    /// session
    ///     .write()
    ///     .set(session.user(), 42)
    ///     .keep_only((session.theme(),))
    ///     .renew(Lifetime::remembered())
    ///     .commit()
    ///     .await?;
    /// # });
    /// ```
    #[doc(alias = "login")]
    #[doc(alias = "sign_in")]
    pub fn renew(mut self, lifetime: Lifetime) -> Self {
        self.new_id = Some(RequestedId::Renewed(lifetime));
        self
    }

    /// Gives the session a new id, in the same step as the changes: a change of privilege. See
    /// [`Session::rotate`](crate::Session::rotate).
    ///
    /// Without a session, the changes create a session. Beside [`renew`](Self::renew), a call
    /// changes nothing.
    #[doc(alias = "cycle_id")]
    pub fn rotate(mut self) -> Self {
        self.new_id.get_or_insert(RequestedId::Rotated);
        self
    }

    /// Removes all other fields of the session, whatever their schema. The given fields stay, and
    /// the fields that the batch sets stay too. Needs [`renew`](Self::renew) or
    /// [`rotate`](Self::rotate).
    ///
    /// Pass fields of any schema of this request, as for
    /// [`Session::read`](crate::Session::read). `keep_only(())` keeps nothing. Several calls
    /// add up.
    pub fn keep_only(mut self, fields: impl ReadBatch) -> Self {
        match names_of(fields, self.handle) {
            Ok(names) => self.keep_only.get_or_insert_default().extend(names),
            Err(error) => self.changes = self.changes.and(Err(error)),
        }
        self
    }

    /// Refuses the login if all sessions of the user were ended since the checkpoint. Fails then
    /// with [`Error::is_ended_since`], and changes nothing.
    ///
    /// Without this condition, a login survives an end of all sessions that came while the password
    /// was being verified. The batch must set the indexed field to the value of the checkpoint. A
    /// checkpoint more than ten minutes old refuses every login.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Error, Lifetime, Session, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     #[session(index)]
    ///     user: Option<u64>,
    /// }
    ///
    /// async fn log_in(session: &Session<Auth>, sessions: &Sessions) -> Result<(), Error> {
    ///     let seen = sessions.find(Auth::by_user(42)).checkpoint().await?;
    ///     // Verify the password here.
    ///     let login = session.write().set(session.user(), 42).renew(Lifetime::normal());
    ///     login.unless_ended_since(seen).commit().await
    /// }
    /// # });
    /// ```
    pub fn unless_ended_since(mut self, checkpoint: Checkpoint) -> Self {
        self.conditions.checkpoint = Some(checkpoint);
        self
    }

    /// Limits the sessions of the user who logs in, this session included. `surplus` decides what
    /// happens beyond the limit. A limit of zero counts as one.
    ///
    /// The limit is exact for logins at the same time too. There is one exception. While the key of
    /// an encrypted field is replaced, only sessions under the newest key count.
    ///
    /// With a checkpoint, the limit is for the field of the checkpoint. Without a checkpoint, the
    /// batch must set one indexed field.
    pub fn at_most(mut self, sessions: u32, surplus: Surplus) -> Self {
        self.conditions.at_most =
            Some((NonZero::new(sessions).unwrap_or(NonZero::<u32>::MIN), surplus));
        self
    }

    /// Sends the changes in a single round trip. An empty batch without a new id sends nothing. A
    /// login takes more round trips if the session ended in the meantime, or if an indexed field of
    /// the session already has a value.
    ///
    /// With a new id, the session has either the old id and none of the changes, or the new id and
    /// all of them. Of two requests at once with [`rotate`](Self::rotate), one fails with
    /// [`Error::is_gone`]. With [`renew`](Self::renew), both succeed, and one creates a new session
    /// without the kept fields. If the outcome is unknown, build the batch again and commit it.
    ///
    /// # Errors
    ///
    /// Returns the first error of a change, such as [`Error::is_encode`]. Fails with
    /// [`Error::is_too_large`] if the values together exceed the limit. Fails with
    /// [`Error::is_unsupported`] in these cases:
    ///
    /// - A field belongs to another request.
    /// - [`keep_only`](Self::keep_only) was called without [`renew`](Self::renew) or
    ///   [`rotate`](Self::rotate).
    /// - The batch has a new id, and a custom store
    ///   [cannot change fields](crate::store::SessionStore::supports_changes_in_rotation) in the
    ///   same step.
    /// - A field is indexed, and the store [has no index](crate::store::SessionStore::index).
    /// - The batch has conditions, and does not set the user as they need.
    ///
    /// Nothing was written in these cases. Other errors are the same as for [`Field::set`]. With a
    /// new id, the errors of [`Session::renew`](crate::Session::renew) are possible too.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64, name: String, age: Option<u32> } |session| {
    /// let batch = session.write().set(session.count(), 3).set(session.name(), "Ada");
    /// batch.remove(session.age()).commit().await?;
    /// assert_eq!(session.read((session.count(), session.name())).await?, (3, "Ada".to_owned()));
    /// # });
    /// ```
    pub fn commit(self) -> Operation<'a, ()> {
        let Self { handle, changes, new_id, keep_only, conditions } = self;
        if conditions.are_set() {
            let name = operation_name(new_id);
            return Operation::new(OperationSpan::new(name, handle).instrument(async move {
                log_in(handle, changes?, new_id, keep_only.as_deref(), conditions).await
            }));
        }
        let Some(new_id) = new_id else {
            let span = OperationSpan::new(OperationName::Write, handle);
            return Operation::new(
                span.instrument(
                    async move { write(handle, &changes?, keep_only.as_deref()).await },
                ),
            );
        };
        let span = OperationSpan::new(operation_name(Some(new_id)), handle);
        Operation::new(span.instrument(async move {
            write_with_id(handle, &changes?, keep_only.as_deref(), new_id).await
        }))
    }

    fn change(
        mut self,
        change: impl FnOnce(&SessionHandle, &mut Changes) -> Result<(), Error>,
    ) -> Self {
        if let Ok(changes) = &mut self.changes
            && let Err(error) = change(self.handle, changes)
        {
            self.changes = Err(error);
        }
        self
    }
}

fn operation_name(new_id: Option<RequestedId>) -> OperationName {
    match new_id {
        None => OperationName::Write,
        Some(RequestedId::Rotated) => OperationName::Rotate,
        Some(RequestedId::Renewed(_)) => OperationName::Renew,
    }
}

async fn write(
    handle: &SessionHandle,
    changes: &Changes,
    keep_only: Option<&[&'static str]>,
) -> Result<(), Error> {
    if keep_only.is_some() {
        return Err(Error::new(Kind::KeptWithoutNewId));
    }
    handle.write(changes.as_set()).await.map(|_| ())
}

async fn write_with_id(
    handle: &SessionHandle,
    changes: &Changes,
    keep_only: Option<&[&'static str]>,
    new_id: RequestedId,
) -> Result<(), Error> {
    let reason = new_id.reason(handle)?;
    let batch = RotationBatch { set: changes.as_set(), keep_only };
    handle.rotate(NewId { reason, batch: Some(batch) }).await
}

/// Writes a batch with conditions. Makes room for the login as often as another login takes it.
async fn log_in(
    handle: &SessionHandle,
    mut changes: Changes,
    new_id: Option<RequestedId>,
    keep_only: Option<&[&'static str]>,
    conditions: Conditions,
) -> Result<(), Error> {
    let login = conditions.apply(&mut changes)?;
    for _ in 0..LOGIN_TRIES {
        let written = match new_id {
            None => write(handle, &changes, keep_only).await,
            Some(new_id) => write_with_id(handle, &changes, keep_only, new_id).await,
        };
        match (written, conditions.at_most) {
            (Err(error), Some((most, surplus))) if error.is_too_many() => {
                let (current, most) = (handle.id(), most.get() as usize);
                let tag = current.as_ref().map(SessionId::tag);
                let ends_oldest = surplus == Surplus::EndOldest;
                if !make_room(handle.manager(), &login, tag, most, ends_oldest).await? {
                    return Err(error);
                }
            }
            (written, _) => return written,
        }
    }
    Err(StoreError::too_many().into())
}

impl Conditions {
    fn are_set(&self) -> bool {
        self.checkpoint.is_some() || self.at_most.is_some()
    }

    /// Adds the conditions to the change of the user, and returns this change.
    ///
    /// # Errors
    ///
    /// `is_unsupported` without exactly one such change.
    fn apply(&self, changes: &mut Changes) -> Result<IndexedChange, Error> {
        let belongs = |change: &&mut IndexedChange| match &self.checkpoint {
            Some(seen) => {
                change.field.index == seen.index && change.value.as_ref() == Some(&seen.value)
            }
            None => change.value.is_some(),
        };
        let mut logins = changes.indexed_mut().iter_mut().filter(belongs);
        let (Some(login), None) = (logins.next(), logins.next()) else {
            return Err(Error::new(Kind::GuardWithoutLogin));
        };
        login.guard = LoginGuard {
            unless_ended_since: self.checkpoint.as_ref().map(|seen| seen.at),
            at_most: self.at_most.map(|(most, _)| most),
        };
        Ok(login.clone())
    }
}

fn names_of<B: ReadBatch>(fields: B, handle: &SessionHandle) -> Result<Vec<&'static str>, Error> {
    let mut names = Vec::new();
    B::names(&fields.specs(handle)?, &mut names);
    Ok(names)
}

impl fmt::Debug for WriteBatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBatch")
            .field("changes", &self.changes)
            .field("new_id", &self.new_id)
            .field("keep_only", &self.keep_only)
            .finish_non_exhaustive()
    }
}

impl<'a, T: 'static, F> Field<'a, T, F> {
    /// # Errors
    ///
    /// `is_unsupported` if the field belongs to another request.
    fn spec_of(self, handle: &SessionHandle) -> Result<&'static FieldSpec<T>, Error> {
        if self.handle().is_same(handle) {
            Ok(self.spec())
        } else {
            Err(Error::new(Kind::OtherRequest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryStore, SessionConfig, Sessions};

    static THEME: FieldSpec<String> = FieldSpec::value("theme").cached();
    static USER: FieldSpec<u64> = FieldSpec::value("user").cached();
    static COUNT: FieldSpec<u64> = FieldSpec::value("count");

    #[test]
    fn a_near_cache_may_answer_for_cached_fields_that_need_not_be_fresh() {
        let config = SessionConfig::new().store("memory:");
        let handle = Sessions::with_store(config, MemoryStore::new()).unwrap().open([]);
        let theme = || Field::<String>::new(&handle, &THEME);
        let user = || Field::<u64>::new(&handle, &USER);
        let count = Field::<u64>::new(&handle, &COUNT);
        assert_eq!(count.freshness(), Freshness::Current);
        assert_eq!(theme().freshness(), Freshness::MayBeCached);
        assert_eq!(theme().fresh().freshness(), Freshness::Current);

        assert!((theme(), user()).is_cached());
        assert!(!(theme(), user().fresh()).is_cached());
        assert!(!(user(), count).is_cached());
        assert!(vec![user(), user()].is_cached());
        assert!(!vec![user(), user().fresh()].is_cached());
        assert!(!().is_cached() && !Vec::<Field<'_, u64>>::new().is_cached());
    }
}
