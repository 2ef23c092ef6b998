//! The contract between sessions and their store, for authors of stores of their own.
//!
//! [`SessionStore`] says in prose all that a store has to keep to. The other types here are the arguments and the
//! results of its methods. [`Sessions::with_store`](crate::Sessions::with_store) takes any type that implements it.
//!
//! Programs that use [`MemoryStore`] or `RedisStore` need nothing from this module.

mod any;
pub(crate) mod connection_state;
pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;
pub(crate) mod timeout;

pub use crate::error::StoreError;
pub use crate::id::SessionKey;
pub use crate::operation::BoxFuture;

pub(crate) use any::AnyStore;
pub(crate) use connection_state::ConnectionState;
pub(crate) use memory::{Bounds, MemoryStore, WhenFull};
#[cfg(feature = "redis")]
pub(crate) use redis::RedisStore;

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::id::SessionId;

/// The name of the permanent field that every live session holds, with an empty value.
///
/// A hash that loses its last field is deleted by Redis; this one keeps a session alive that has no other field. The schema cannot have a
/// field of this name.
pub const PERMANENT_FIELD: &str = "";

/// A place to keep sessions.
///
/// # The contract
///
/// A **key** is in one of three states:
///
/// - *missing*: nothing is stored under it;
/// - *live*: a session, that is fields with values, the [permanent field](PERMANENT_FIELD) among them, and a time at which it expires;
/// - *dead*: a [tombstone](Tombstone) of a session that was ended. It too has a time at which it expires, a minute away or more.
///
/// From live or dead, a key becomes missing when its time has come, exactly as if it had never been there. Every operation is atomic: no
/// other operation on the same key sees or leaves a part of it. What an operation reports as done can be read by every operation that begins
/// after the report.
///
/// Times count from the moment at which an operation is carried out. A store may round them to milliseconds, but never to nothing, and it
/// takes [`Duration::MAX`] for as long as it can. A read that finds a tombstone prolongs it for no longer than an instant.
///
/// An operation that fails with [`StoreError::unavailable`] has changed nothing. One that fails with [`StoreError::outcome_unknown`], or
/// whose future is dropped, was carried out once, or not at all, or will be within moments: it may still be under way. A store never carries
/// out a write twice, and no operation waits for long: what cannot be done within the store's deadline fails.
///
/// A store checks no limits, knows nothing of cookies and interprets no value.
///
/// # A store of one's own
///
/// With the feature `testing`, `testing::store_suite!` makes a test of every point of this contract. The futures are boxed for it, so that
/// `dyn SessionStore` works; [`Sessions::with_store`](crate::Sessions::with_store) takes any.
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads one field, and refreshes a live session's expiry as `refresh` says.
    ///
    /// With [`Refresh::No`] a store that cannot tell cheaply may report a missing key as found, with no value.
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>>;

    /// Whether a field is there. Otherwise as [`get`](Self::get).
    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Carries out all changes of one write, or none; the session then expires `write.expires_in` from now.
    ///
    /// On a missing key, [`WriteMode::Existing`] changes nothing and reports it missing; [`WriteMode::Create`] makes a live session with the
    /// permanent field and these changes. On a dead key nothing is changed in either mode. Reports how many of the removed fields were there.
    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>>;

    /// Reads several fields as they are at one moment, each value in its field's place. The same field may be asked for twice, or none at
    /// all. Otherwise as [`get`](Self::get).
    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        fields: &'a [&'a str],
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>>;

    /// Changes one field in a way that depends on what it holds; the session then expires `modify.expires_in` from now, also if nothing was
    /// changed.
    ///
    /// On missing and dead keys as [`write`](Self::write): where [`Lookup::Found`] is reported there is a live session, which
    /// [`WriteMode::Create`] begins also for a removal of what is not there. What would come to [`Modified::NotANumber`],
    /// [`Modified::OutOfRange`] or [`Modified::Swapped`]`(false)` begins none: a missing key is then reported missing in either mode. What only
    /// removes works when the store has no room left.
    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>>;

    /// How long from now a field is kept by its own expiry: `None` if it has none, or is not there. Refreshes nothing.
    fn field_time_left<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>>;

    /// Gives a field an expiry of its own, `ttl` from now, and says whether the field is there; a live session then expires `expires_in` from
    /// now.
    fn expire_field<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        ttl: Duration,
        expires_in: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Whether fields can have an expiry of their own. If not, the operations that would give them one fail as
    /// [refused](StoreError::refused), and change nothing.
    fn supports_field_expiry(&self) -> bool;

    /// How long from now a session is kept; [`Duration::MAX`] if it never expires, which only another program's session may do. Refreshes
    /// nothing.
    fn time_left<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>>;

    /// Moves a live session, with all that is stored in it, to another key, on which it expires `rotation.expires_in` from now, and leaves a
    /// tombstone that holds the successor's id: [`TombstoneKind::Renewed`] if `rotation.renews`, else [`TombstoneKind::Rotated`]. On a
    /// missing key nothing is changed. Works when the store has no room left.
    ///
    /// A tombstone that holds this successor's id already is a success, and changes nothing, as long as the session is live there: an operation
    /// whose reply was lost can be repeated. If it is not, or for any other tombstone, the session is dead.
    ///
    /// A live session is not moved onto a key that is live or dead: that is refused, and changes nothing.
    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>>;

    /// Ends a live session: its fields go, and a tombstone stays that tells the reason. On a missing or dead key nothing is changed.
    /// Works when the store has no room left.
    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>>;

    /// Reads the tombstone of a dead key. `None` for a key that is missing or live. Changes nothing.
    fn tombstone<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Tombstone>, StoreError>>;

    /// What time the store's machine has: a clock that is far from ours makes deadlines wrong. It is the store's sign of life, too: what serves
    /// sessions answers.
    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>>;

    /// Whether the store can be reached, as far as is known without asking. One that needs no connection always can.
    fn connection_state(&self) -> ConnectionState {
        ConnectionState::Connected
    }
}

/// A change of one field that depends on what the field holds. `Debug` shows no value.
///
/// What the field **holds** is its own value, or, if it has none, that of the field `alias`. Whatever changes the field removes the alias in
/// the same step, so that a value which is removed does not come back by its former name; what changes nothing leaves both as they are. A
/// new value that equals the old one is a change, and so is the removal of what is not there.
#[derive(Clone)]
pub struct Modify<'a> {
    /// Whether the session has to be there already.
    pub mode: WriteMode,
    /// The field's stored name; not the [permanent field](PERMANENT_FIELD).
    pub field: &'a str,
    /// The name under which the field was stored formerly: another one, and not the [permanent field](PERMANENT_FIELD) either.
    pub alias: Option<&'a str>,
    /// What to do.
    pub action: Action,
    /// How long from now a field is kept that is given a value, as [`Change::Set`] says.
    pub ttl: Option<Duration>,
    /// How long from now the session is kept; more than zero.
    pub expires_in: Duration,
}

/// What [`SessionStore::modify`] does with a field.
#[derive(Clone)]
pub enum Action {
    /// Gives it a value, or removes it, and tells what it held before.
    Replace(Option<Bytes>),
    /// Gives it a value if it holds none, and tells what it holds then.
    GetOrSet(Bytes),
    /// Gives it a value, or removes it, if it holds what is expected, and tells whether it did.
    CompareAndSet {
        /// The bytes that it has to hold; `None`: it must hold nothing.
        expected: Option<Bytes>,
        /// A field that holds nothing is what is expected, too.
        or_missing: bool,
        /// What it is given; `None` removes it.
        value: Option<Bytes>,
    },
    /// Adds to an integer, exactly, and tells the sum, in decimal text.
    ///
    /// An integer has one text, which [`FieldValue`](crate::FieldValue) describes. What is held in another one, or lies past `min` or `max`
    /// itself, is [`Modified::NotANumber`], as it could not be read either.
    AddInteger {
        /// What to add: anything.
        by: i128,
        /// What a field that holds nothing counts as.
        default: i128,
        /// The smallest integer that the field may hold; it fits 64 bits, with a sign or without.
        min: i128,
        /// The largest one, likewise.
        max: i128,
    },
    /// Adds to a floating-point number as IEEE 754 does, and tells the sum, in the text that [`FieldValue`](crate::FieldValue) gives it:
    /// the shortest that reads as exactly it, without an exponent.
    ///
    /// What is held is read as [`FieldValue`](crate::FieldValue) reads it. `inf`, `-inf` and `nan` are numbers, but no sum of theirs is
    /// finite: [`Modified::OutOfRange`]. [`Modified::NotANumber`] is a text that is none, that is past what the type can hold (`1e999`),
    /// or that is longer than 1,077 bytes: no exact text of an `f64` is.
    AddFloat {
        /// What to add.
        by: f64,
        /// What a field that holds nothing counts as.
        default: f64,
        /// It is a number of 32 bits: what is held is read as one, and the sum is rounded to one.
        single: bool,
    },
}

/// What [`SessionStore::modify`] came to.
#[derive(Clone, PartialEq, Eq)]
pub enum Modified {
    /// [`Action::Replace`]: what the field held before. [`Action::GetOrSet`]: what it holds now.
    Value(Option<Bytes>),
    /// [`Action::CompareAndSet`]: whether it held what was expected.
    Swapped(bool),
    /// The sum that the field holds now.
    Sum(Bytes),
    /// The field holds something that is not a number of this kind. Nothing was changed.
    NotANumber,
    /// The sum would be out of range: past `min` or `max`, or not finite. Nothing was changed.
    OutOfRange,
}

/// What becomes of a live session's expiry when it is read. That of a tombstone stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// It stays as it is.
    No,
    /// The session expires that long from now.
    To(Duration),
    /// The session expires `expires_in` from now, if it would have expired sooner than `below` from now. The read need not wait for it, and
    /// says whether the session is there all the same.
    Below {
        /// The time left under which the expiry is refreshed.
        below: Duration,
        /// How long from now the session is kept then.
        expires_in: Duration,
    },
}

/// Where a session moves to.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// The key that it moves to: free, and in the same cluster slot.
    pub successor_key: &'a SessionKey,
    /// The id of that key, for the tombstone.
    pub successor: &'a SessionId,
    /// How long from now the session is kept there; more than zero.
    pub expires_in: Duration,
    /// How long the tombstone stays: a minute or more.
    pub tombstone_for: Duration,
    /// The successor is the session of a login.
    pub renews: bool,
}

/// The end of a session, for [`SessionStore::destroy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destruction {
    /// The reason, for the tombstone.
    pub reason: DestroyReason,
    /// How long the tombstone stays: a minute or more.
    pub tombstone_for: Duration,
}

/// The result of [`SessionStore::destroy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destroyed {
    /// A live session, which is dead now.
    Ended,
    /// Nothing is stored under this key.
    Missing,
    /// A tombstone of a session that was ended before.
    Dead(TombstoneKind),
}

/// The record that stays under the key of an ended session for some minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// The end that the session came to.
    pub kind: TombstoneKind,
    /// The time since that end, by the store's own clock. A store that does not know it says zero.
    pub age: Duration,
}

/// The end that a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TombstoneKind {
    /// The session is over.
    Destroyed(DestroyReason),
    /// The session goes on under this id, by `rotate`.
    Rotated(SessionId),
    /// The session goes on under this id, by `renew`: a login.
    Renewed(SessionId),
}

/// The reason of a destruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestroyReason {
    /// A request that came with the session's cookie destroyed it.
    LoggedOut,
    /// Another part of the application destroyed it: a job, an administrator, another session of the same user.
    EndedElsewhere,
    /// The user had too many sessions.
    TooMany,
}

impl Rotation<'_> {
    /// The end that the session comes to under its former id.
    pub fn tombstone_kind(&self) -> TombstoneKind {
        let successor = *self.successor;
        if self.renews { TombstoneKind::Renewed(successor) } else { TombstoneKind::Rotated(successor) }
    }
}

impl Tombstone {
    /// The id under which the session goes on.
    pub fn successor(&self) -> Option<SessionId> {
        self.kind.successor()
    }
}

impl TombstoneKind {
    /// The id under which the session goes on.
    pub fn successor(&self) -> Option<SessionId> {
        match self {
            Self::Destroyed(_) => None,
            Self::Rotated(successor) | Self::Renewed(successor) => Some(*successor),
        }
    }
}

/// What a store knows of a key, and the operation's result if it is a live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<T> {
    /// A live session.
    Found(T),
    /// Nothing is stored under this key.
    Missing,
    /// The session was ended: a tombstone.
    Dead,
}

impl<T> Lookup<T> {
    /// The same with another result.
    pub fn map<U>(self, result: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(found) => Lookup::Found(result(found)),
            Self::Missing => Lookup::Missing,
            Self::Dead => Lookup::Dead,
        }
    }
}

/// One write of a session: some changes, carried out together.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// Whether the session has to be there already.
    pub mode: WriteMode,
    /// What to change. No field stands in it twice, none is the [permanent field](PERMANENT_FIELD).
    pub changes: &'a [Change<'a>],
    /// How long from now the session is kept; more than zero.
    pub expires_in: Duration,
}

/// Whether a write may begin a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Only a live session is written.
    Existing,
    /// A missing session is begun, a live one is written.
    Create,
}

/// One change of one field. `Debug` shows the field's name alone.
#[derive(Clone)]
pub enum Change<'a> {
    /// Gives a field a value.
    Set {
        /// The field's stored name.
        field: &'a str,
        /// Its new value.
        value: Bytes,
        /// How long from now the field is kept, if it has an expiry of its own; more than zero. Without one, an earlier expiry of the field is
        /// taken away.
        ttl: Option<Duration>,
    },
    /// Removes a field, if it is there.
    Remove {
        /// The field's stored name.
        field: &'a str,
    },
}

impl Modified {
    /// If not, nothing was changed, and no session is begun for it.
    pub(crate) fn is_carried_out(&self) -> bool {
        !matches!(self, Self::NotANumber | Self::OutOfRange | Self::Swapped(false))
    }
}

impl Change<'_> {
    /// The stored name of the field that is changed.
    pub fn field(&self) -> &str {
        match self {
            Self::Set { field, .. } | Self::Remove { field } => field,
        }
    }
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, field) = match self {
            Self::Set { field, .. } => ("Set", field),
            Self::Remove { field } => ("Remove", field),
        };
        f.debug_struct(name).field("field", field).finish_non_exhaustive()
    }
}

impl fmt::Debug for Modify<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modify")
            .field("field", &self.field)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// Shows what is done, not the values.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replace(_) => "Replace",
            Self::GetOrSet(_) => "GetOrSet",
            Self::CompareAndSet { .. } => "CompareAndSet",
            Self::AddInteger { .. } => "AddInteger",
            Self::AddFloat { .. } => "AddFloat",
        })
    }
}

/// Shows what happened, not the values.
impl fmt::Debug for Modified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "Value({})", if value.is_some() { "…" } else { "none" }),
            Self::Swapped(swapped) => write!(f, "Swapped({swapped})"),
            Self::Sum(_) => f.write_str("Sum(…)"),
            Self::NotANumber => f.write_str("NotANumber"),
            Self::OutOfRange => f.write_str("OutOfRange"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: Bytes = Bytes::from_static(b"HUNTER2");

    #[test]
    fn debug_shows_what_is_done_and_not_the_values() {
        let set = Change::Set { field: "name", value: VALUE, ttl: None };
        assert_eq!(format!("{set:?}"), "Set { field: \"name\", .. }");
        assert_eq!(format!("{:?}", Change::Remove { field: "name" }), "Remove { field: \"name\", .. }");
        for (action, shown) in [
            (Action::Replace(Some(VALUE)), "Replace"),
            (Action::GetOrSet(VALUE), "GetOrSet"),
            (
                Action::CompareAndSet { expected: Some(VALUE), or_missing: false, value: Some(VALUE) },
                "CompareAndSet",
            ),
            (Action::AddInteger { by: 1, default: 0, min: 0, max: 9 }, "AddInteger"),
            (Action::AddFloat { by: 1.0, default: 0.0, single: false }, "AddFloat"),
        ] {
            assert_eq!(format!("{action:?}"), shown);
        }
        let mode = WriteMode::Existing;
        let replace = Action::Replace(Some(VALUE));
        let modify = Modify {
            mode,
            field: "name",
            alias: None,
            action: replace,
            ttl: None,
            expires_in: Duration::ZERO,
        };
        assert_eq!(format!("{modify:?}"), "Modify { field: \"name\", action: Replace, .. }");
    }

    #[test]
    fn debug_shows_what_happened_and_not_the_values() {
        for (modified, shown) in [
            (Modified::Value(Some(VALUE)), "Value(…)"),
            (Modified::Value(None), "Value(none)"),
            (Modified::Swapped(true), "Swapped(true)"),
            (Modified::Sum(VALUE), "Sum(…)"),
            (Modified::NotANumber, "NotANumber"),
            (Modified::OutOfRange, "OutOfRange"),
        ] {
            assert_eq!(format!("{modified:?}"), shown);
        }
    }
}
