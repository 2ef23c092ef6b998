//! The arguments and the results of a store's operations.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::id::{SessionId, SessionKey};

/// The name of the permanent field that every live session holds, with an empty value.
///
/// A hash that loses its last field is deleted by Redis; this one keeps a session alive that has no
/// other field. The schema cannot have a field of this name.
pub const PERMANENT_FIELD: &str = "";

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

/// What becomes of a live session's expiry when it is read. That of a tombstone stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// It stays as it is.
    No,
    /// The session expires that long from now.
    To(Duration),
    /// The session expires `expires_in` from now, if it would have expired sooner than `below` from
    /// now. The read need not wait for it, and says whether the session is there all the same.
    Below {
        /// The time left under which the expiry is refreshed.
        below: Duration,
        /// How long from now the session is kept then.
        expires_in: Duration,
    },
}

/// One write of a session: some changes, carried out together.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// Whether the session has to be there already.
    pub mode: WriteMode,
    /// What to change. No field stands in it twice, none is the [permanent
    /// field](PERMANENT_FIELD).
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
        /// How long from now the field is kept, if it has an expiry of its own; more than zero.
        /// Without one, an earlier expiry of the field is taken away.
        ttl: Option<Duration>,
    },
    /// Removes a field, if it is there.
    Remove {
        /// The field's stored name.
        field: &'a str,
    },
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

/// A change of one field that depends on what the field holds. `Debug` shows no value.
///
/// What the field **holds** is its own value, or, if it has none, that of the field `alias`.
/// Whatever changes the field removes the alias in the same step, so that a value which is removed
/// does not come back by its former name; what changes nothing leaves both as they are. A new value
/// that equals the old one is a change, and so is the removal of what is not there.
#[derive(Clone)]
pub struct Modify<'a> {
    /// Whether the session has to be there already.
    pub mode: WriteMode,
    /// The field's stored name; not the [permanent field](PERMANENT_FIELD).
    pub field: &'a str,
    /// The name under which the field was stored formerly: another one, and not the [permanent
    /// field](PERMANENT_FIELD) either.
    pub alias: Option<&'a str>,
    /// What to do.
    pub action: Action,
    /// How long from now a field is kept that is given a value, as [`Change::Set`] says.
    pub ttl: Option<Duration>,
    /// How long from now the session is kept; more than zero.
    pub expires_in: Duration,
}

impl fmt::Debug for Modify<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modify")
            .field("field", &self.field)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// What [`SessionStore::modify`](super::SessionStore::modify) does with a field.
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
    /// An integer has one text, which [`FieldValue`](crate::FieldValue) describes. What is held in
    /// another one, or lies past `min` or `max` itself, is [`Modified::NotANumber`], as it
    /// could not be read either.
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
    /// Adds to a floating-point number as IEEE 754 does, and tells the sum, in the text that
    /// [`FieldValue`](crate::FieldValue) gives it: the shortest that reads as exactly it,
    /// without an exponent.
    ///
    /// What is held is read as [`FieldValue`](crate::FieldValue) reads it. `inf`, `-inf` and `nan`
    /// are numbers, but no sum of theirs is finite: [`Modified::OutOfRange`].
    /// [`Modified::NotANumber`] is a text that is none, that is past what the type can hold
    /// (`1e999`), or that is longer than 1,077 bytes: no exact text of an `f64` is.
    AddFloat {
        /// What to add.
        by: f64,
        /// What a field that holds nothing counts as.
        default: f64,
        /// It is a number of 32 bits: what is held is read as one, and the sum is rounded to one.
        single: bool,
    },
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

/// What [`SessionStore::modify`](super::SessionStore::modify) came to.
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

impl Modified {
    /// If not, nothing was changed, and no session is begun for it.
    pub(crate) fn is_carried_out(&self) -> bool {
        !matches!(self, Self::NotANumber | Self::OutOfRange | Self::Swapped(false))
    }
}

/// Shows what happened, not the values.
impl fmt::Debug for Modified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => {
                write!(f, "Value({})", if value.is_some() { "…" } else { "none" })
            }
            Self::Swapped(swapped) => write!(f, "Swapped({swapped})"),
            Self::Sum(_) => f.write_str("Sum(…)"),
            Self::NotANumber => f.write_str("NotANumber"),
            Self::OutOfRange => f.write_str("OutOfRange"),
        }
    }
}

/// A session's change of its id, for [`SessionStore::rotate`](super::SessionStore::rotate).
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// The key under which it goes on: free, and in the same cluster slot.
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

impl Rotation<'_> {
    /// The end that the session comes to under its former id.
    pub fn tombstone_kind(&self) -> TombstoneKind {
        let successor = *self.successor;
        if self.renews {
            TombstoneKind::Renewed(successor)
        } else {
            TombstoneKind::Rotated(successor)
        }
    }
}

/// The end of a session, for [`SessionStore::destroy`](super::SessionStore::destroy).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destruction {
    /// The reason, for the tombstone.
    pub reason: DestroyReason,
    /// How long the tombstone stays: a minute or more.
    pub tombstone_for: Duration,
}

/// The reason of a destruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestroyReason {
    /// A request that came with the session's cookie destroyed it.
    LoggedOut,
    /// Another part of the application destroyed it: a job, an administrator, another session of
    /// the same user.
    EndedElsewhere,
    /// The user had too many sessions.
    TooMany,
}

/// The result of [`SessionStore::destroy`](super::SessionStore::destroy).
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

impl Tombstone {
    /// The id under which the session goes on.
    pub fn successor(&self) -> Option<SessionId> {
        self.kind.successor()
    }
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

impl TombstoneKind {
    /// The id under which the session goes on.
    pub fn successor(&self) -> Option<SessionId> {
        match self {
            Self::Destroyed(_) => None,
            Self::Rotated(successor) | Self::Renewed(successor) => Some(*successor),
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
        assert_eq!(
            format!("{:?}", Change::Remove { field: "name" }),
            "Remove { field: \"name\", .. }"
        );
        for (action, shown) in [
            (Action::Replace(Some(VALUE)), "Replace"),
            (Action::GetOrSet(VALUE), "GetOrSet"),
            (
                Action::CompareAndSet {
                    expected: Some(VALUE),
                    or_missing: false,
                    value: Some(VALUE),
                },
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
