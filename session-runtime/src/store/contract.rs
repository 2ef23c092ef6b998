//! Arguments and results of a store's operations.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::indexing::{IndexChange, Indexing};
use crate::id::{SessionId, SessionKey};

/// The name of the permanent field, which every live session has with an empty value.
///
/// Redis deletes a hash that loses its last field. The permanent field keeps a session alive that
/// has no other field. A schema cannot have a field of this name.
pub const PERMANENT_FIELD: &str = "";

/// The state of a key, with the operation's result if the session is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<T> {
    /// A live session.
    Found(T),
    /// Nothing is stored under this key.
    Missing,
    /// The session has ended, and the key holds a tombstone.
    Dead,
}

impl<T> Lookup<T> {
    /// Converts the result of a live session with a function.
    #[inline]
    pub fn map<U>(self, result: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(found) => Lookup::Found(result(found)),
            Self::Missing => Lookup::Missing,
            Self::Dead => Lookup::Dead,
        }
    }
}

/// The effect of a read on the expiry of a live session. The expiry of a tombstone stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// The expiry stays the same.
    No,
    /// The session expires this long from now.
    To(Duration),
    /// The session expires `expires_in` from now if it would otherwise expire in less than `below`.
    ///
    /// The read does not have to wait for the refresh, but still reports whether the session
    /// exists.
    Below {
        /// The remaining time below which the expiry is refreshed.
        below: Duration,
        /// The new lifetime of the session, from now.
        expires_in: Duration,
    },
}

/// One write to a session: several changes that are carried out together.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// The behaviour if the session does not exist.
    pub mode: WriteMode,
    /// The changes. A field occurs at most once, and the [permanent field](PERMANENT_FIELD) never.
    pub changes: &'a [Change<'a>],
    /// The lifetime of the session from now, more than zero.
    pub expires_in: Duration,
    /// The changes of indexed fields, if any. Always `None` for a store without an
    /// [index](super::SessionStore::index).
    pub index: Option<Indexing<'a>>,
}

/// Selects whether a write may create a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Writes only to a live session.
    Existing,
    /// Creates a missing session, or writes to a live session.
    Create,
}

/// A change of one field. `Debug` shows only the name of the field.
#[derive(Clone)]
pub enum Change<'a> {
    /// Sets the value of a field.
    Set {
        /// The stored name of the field.
        field: &'a str,
        /// The new value.
        value: Bytes,
        /// The lifetime of the field from now, more than zero. `None` removes an earlier expiry of
        /// the field.
        ttl: Option<Duration>,
    },
    /// Removes a field, if present.
    Remove {
        /// The stored name of the field.
        field: &'a str,
    },
}

impl Change<'_> {
    /// Returns the stored name of the changed field.
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

/// A change of one field that depends on the field's current value. `Debug` shows no values.
///
/// The **current value** is the value of the field or, if the field does not exist, the value of
/// the field `alias`. Every change of the field also removes the alias in the same step. Otherwise
/// a removed value would come back under the former name. An action that changes nothing leaves
/// both fields unchanged.
///
/// A new value equal to the old value is a change. So is the removal of a field that does not
/// exist.
#[derive(Clone)]
pub struct Modify<'a> {
    /// The behaviour if the session does not exist.
    pub mode: WriteMode,
    /// The stored name of the field, never the [permanent field](PERMANENT_FIELD).
    pub field: &'a str,
    /// The former stored name of the field. Differs from `field` and is never the [permanent
    /// field](PERMANENT_FIELD).
    pub alias: Option<&'a str>,
    /// The action.
    pub action: Action,
    /// The lifetime of a new value of the field, as in [`Change::Set`].
    pub ttl: Option<Duration>,
    /// The lifetime of the session from now, more than zero.
    pub expires_in: Duration,
    /// The new value of an indexed field, as in [`Write::index`].
    pub index: Option<Indexing<'a>>,
    /// The change is no use of the session, and keeps all times. Only true if the store
    /// [supports this](super::SessionStore::supports_keeping_times), with [`WriteMode::Existing`]
    /// and a [`CompareAndSet`](Action::CompareAndSet) with a new value.
    ///
    /// The expiry of the session stays the same, and `expires_in` is ignored. The new value expires
    /// when the current value would have expired, and `ttl` is ignored. If the session becomes the
    /// entry of another list, [`Seen::signed_in_at`](super::Seen::signed_in_at) stays the same. If
    /// the values do not match, nothing is changed.
    pub keeps_times: bool,
}

impl fmt::Debug for Modify<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modify")
            .field("field", &self.field)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// An action of [`SessionStore::modify`](super::SessionStore::modify).
#[derive(Clone)]
pub enum Action {
    /// Sets the field to a value or removes it, and returns the previous value.
    Replace(Option<Bytes>),
    /// Sets the field to this value if there is no current value, and returns the value that the
    /// field has then.
    GetOrSet(Bytes),
    /// Sets or removes the field if its current value is the expected value, and returns whether
    /// the values matched.
    CompareAndSet {
        /// The expected bytes. `None` expects that there is no value.
        expected: Option<Bytes>,
        /// Accepts a field without a value as well.
        or_missing: bool,
        /// The new value. `None` removes the field.
        value: Option<Bytes>,
    },
    /// Adds to an integer exactly, and returns the sum as decimal text.
    ///
    /// Each integer has exactly one text, described by [`FieldValue`](crate::FieldValue). Any other
    /// text results in [`Modified::NotANumber`]. So does a current value outside `min` and `max`,
    /// because the field could not be read either.
    AddInteger {
        /// The number to add, without limits.
        by: i128,
        /// The value of a field that does not exist.
        default: i128,
        /// The smallest integer allowed in the field, within the range of `i64` or `u64`.
        min: i128,
        /// The largest integer allowed in the field, in the same range.
        max: i128,
    },
    /// Adds to a floating-point number as IEEE 754 does, and returns the sum as text.
    ///
    /// The text is the shortest that reads as exactly this number, without an exponent, as
    /// [`FieldValue`](crate::FieldValue) writes it. The current value is read as
    /// [`FieldValue`](crate::FieldValue) reads it. `inf`, `-inf` and `nan` are numbers, but no sum
    /// with such a number is finite, so the result is [`Modified::OutOfRange`].
    ///
    /// The result is [`Modified::NotANumber`] for a text that is not a number or exceeds the range
    /// of the type (`1e999`). The same holds for a text longer than 1,077 bytes, because no exact
    /// text of an `f64` is longer.
    AddFloat {
        /// The number to add.
        by: f64,
        /// The value of a field that does not exist.
        default: f64,
        /// The field is an `f32`. The current value is read as `f32`, and the sum is rounded to
        /// `f32`.
        single: bool,
    },
}

/// Shows the action without values.
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

/// The result of [`SessionStore::modify`](super::SessionStore::modify).
#[derive(Clone, PartialEq, Eq)]
pub enum Modified {
    /// The previous value, for [`Action::Replace`], or the value that the field has now, for
    /// [`Action::GetOrSet`].
    Value(Option<Bytes>),
    /// The answer of [`Action::CompareAndSet`]: `true` if the current value matched and the change
    /// was made.
    Swapped(bool),
    /// The sum, which is the new value of the field.
    Sum(Bytes),
    /// The current value is not a number of this kind. Nothing was changed.
    NotANumber,
    /// The sum is past `min` or `max`, or not finite. Nothing was changed.
    OutOfRange,
}

impl Modified {
    /// Returns whether the action was carried out. If not, nothing was changed, and no session is
    /// created.
    pub(crate) fn is_carried_out(&self) -> bool {
        !matches!(self, Self::NotANumber | Self::OutOfRange | Self::Swapped(false))
    }
}

/// Shows the outcome without values.
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

/// A change of a session's id, for [`SessionStore::rotate`](super::SessionStore::rotate).
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// The new key of the session: a missing key in the same cluster slot.
    pub successor_key: &'a SessionKey,
    /// The id of the new key, for the tombstone.
    pub successor: &'a SessionId,
    /// The lifetime of the session under the new key, more than zero.
    pub expires_in: Duration,
    /// The lifetime of the tombstone, a minute or more.
    pub tombstone_for: Duration,
    /// Marks the rotation as a renewal, which is a login.
    pub renews: bool,
    /// The changes of the same step. Each field occurs only once, and never the [permanent
    /// field](PERMANENT_FIELD).
    pub changes: &'a [Change<'a>],
    /// The fields that stay, besides the fields that `changes` set. `None` keeps all fields.
    ///
    /// If `index` gives a field another value in place of its present value, no other field stays.
    /// [`IndexedValue::is_same`](super::IndexedValue::is_same) compares the two.
    pub keep_only: Option<&'a [&'a str]>,
    /// The time until the session's absolute deadline under the new key.
    pub deadline_in: Duration,
    /// The changes of indexed fields among `changes`, as in [`Write::index`].
    pub index: &'a [IndexChange<'a>],
}

impl Rotation<'_> {
    /// Returns whether the rotation changes fields too.
    pub fn changes_fields(&self) -> bool {
        !self.changes.is_empty() || self.keep_only.is_some()
    }

    /// Returns the kind of tombstone that the old key gets.
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
    /// The reason, recorded in the tombstone.
    pub reason: DestroyReason,
    /// The lifetime of the tombstone, a minute or more.
    pub tombstone_for: Duration,
}

/// The reason why a session was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestroyReason {
    /// A request with the session's cookie destroyed the session.
    LoggedOut,
    /// Another part of the application destroyed the session: a job, an administrator, or another
    /// session of the same user.
    EndedElsewhere,
    /// The user had too many sessions.
    TooMany,
}

/// The result of [`SessionStore::destroy`](super::SessionStore::destroy).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destroyed {
    /// The session was live, and has ended now.
    Ended,
    /// Nothing is stored under this key.
    Missing,
    /// The session had already ended. The value is the kind of its tombstone.
    Dead(TombstoneKind),
}

/// A record that stays under the key of an ended session for some minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// How the session ended.
    pub kind: TombstoneKind,
    /// The time since the end, by the store's own clock. Zero if the store does not know the time.
    pub age: Duration,
}

impl Tombstone {
    /// Returns the id under which the session continues, if any.
    pub fn successor(&self) -> Option<SessionId> {
        self.kind.successor()
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TombstoneKind {
    /// The session was destroyed.
    Destroyed(DestroyReason),
    /// The session continues under this id after `rotate`.
    Rotated(SessionId),
    /// The session continues under this id after `renew`, which is a login.
    Renewed(SessionId),
}

impl TombstoneKind {
    /// Returns the id under which the session continues, if any.
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
    fn debug_shows_operations_without_values() {
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
            index: None,
            keeps_times: false,
        };
        assert_eq!(format!("{modify:?}"), "Modify { field: \"name\", action: Replace, .. }");
    }

    #[test]
    fn debug_shows_outcomes_without_values() {
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
