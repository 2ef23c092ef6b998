//! The end of a session while a request was under way, and the consequences for a login.

use std::time::Duration;

use super::metadata::SessionMetadata;
use crate::error::{Error, Kind};
use crate::store::{DestroyReason, Tombstone, TombstoneKind};

/// The time for which a tombstone stays: longer than a request with the old id is likely to take.
pub(crate) const TOMBSTONE_FOR: Duration = Duration::from_secs(5 * 60);

/// The lifetime of a tombstone for an end through an index, the longest of all. A login that is
/// half done may come within this time, and must meet the tombstone.
pub(crate) const END_TOMBSTONE_FOR: Duration = Duration::from_secs(10 * 60);

/// The time for which a request has been under way, to be compared with the age of a tombstone.
///
/// The store's clock measures the tombstone's age, and our clock measures the request's age. Times
/// of day are never compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestAge {
    pub(crate) since_arrival: Duration,
    /// The time after a session's end for which a request counts as under way. Responses with
    /// another cookie may have been on their way to the browser.
    pub(crate) grace: Duration,
    /// The request comes from a client, which receives the cookie of a new session.
    pub(crate) has_client: bool,
}

/// A session that ended while the request was under way.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) session: SessionMetadata,
    pub(super) end: End,
}

/// The way in which a session ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The session is no longer in the store.
    Expired,
    /// A request ended the session. The tombstone was not read.
    Unread,
    /// A request ended the session, and the tombstone was read.
    Read { kind: TombstoneKind, is_before_arrival: bool },
}

impl RequestAge {
    /// Returns whether the request was under way when the session ended.
    ///
    /// A part of the application is always under way, because nobody would receive the cookie of a
    /// new session.
    pub(super) fn is_under_way_at(self, tombstone_age: Duration) -> bool {
        !self.has_client || tombstone_age <= self.since_arrival.saturating_add(self.grace)
    }
}

impl Gone {
    /// Returns the end that restricts a login more: an end by another part of the application, in
    /// whatever order the cookies came.
    pub(super) fn stricter(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if other.end.is_elsewhere() && !one.end.is_elsewhere() => {
                Some(other)
            }
            (one, other) => one.or(other),
        }
    }

    pub(super) fn error(&self) -> Error {
        Error::new(match self.end {
            End::Expired => Kind::Expired,
            End::Unread | End::Read { .. } => Kind::Gone,
        })
    }
}

impl End {
    pub(super) fn read(tombstone: Tombstone, age: RequestAge) -> Self {
        Self::Read { kind: tombstone.kind, is_before_arrival: tombstone.age > age.since_arrival }
    }

    /// Returns whether a login may create a session in place of the session that is gone. Returns
    /// `None` if the tombstone has to be read.
    ///
    /// A verified password means a new session, unless another part of the application ended the
    /// former session during the request.
    pub(super) fn allows_login(self, age: RequestAge) -> Option<bool> {
        match self {
            _ if !age.has_client => Some(false),
            Self::Unread => None,
            // An end by another part of the application would have left a tombstone for longer.
            Self::Expired => Some(age.since_arrival < TOMBSTONE_FOR),
            Self::Read { kind: TombstoneKind::Destroyed(reason), is_before_arrival } => {
                Some(is_before_arrival || reason == DestroyReason::LoggedOut)
            }
            Self::Read { kind: TombstoneKind::Rotated(_) | TombstoneKind::Renewed(_), .. } => {
                Some(true)
            }
        }
    }

    /// Returns whether the session may go on under another id, as far as known.
    pub(super) fn may_have_successor(&self) -> bool {
        match self {
            Self::Unread => true,
            Self::Read { kind, .. } => kind.successor().is_some(),
            Self::Expired => false,
        }
    }

    fn is_elsewhere(&self) -> bool {
        let Self::Read { kind: TombstoneKind::Destroyed(reason), .. } = self else { return false };
        *reason != DestroyReason::LoggedOut
    }
}
