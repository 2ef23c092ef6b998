//! The end of a session while a request was under way, and its consequences for a login.

use std::time::Duration;

use super::metadata::SessionMetadata;
use crate::error::{Error, Kind};
use crate::store::{DestroyReason, Tombstone, TombstoneKind};

/// The stay of a tombstone: longer than a request that may still hold the dead id is likely to
/// take.
pub(crate) const TOMBSTONE_FOR: Duration = Duration::from_secs(5 * 60);

/// How long a request has been under way, for the comparison with a tombstone's age.
///
/// The tombstone's age is by the store's clock, and the request's age by ours. Neither is compared
/// as a time of day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestAge {
    pub(crate) since_arrival: Duration,
    /// How much later than a session's end a request may arrive and still count as under way:
    /// answers with another cookie may have been on their way to the browser.
    pub(crate) grace: Duration,
    /// A client is on the other side, and gets the cookie of a session that begins anew.
    pub(crate) has_client: bool,
}

/// A session that came to its end while the request was under way.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) session: SessionMetadata,
    pub(super) end: End,
}

/// How a session came to its end.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The store did not have it any more.
    Expired,
    /// A request ended it. Its tombstone was not read.
    Unread,
    /// A request ended it, as its tombstone says.
    Read { kind: TombstoneKind, is_before_arrival: bool },
}

impl RequestAge {
    /// Returns whether the request was under way when the session ended.
    ///
    /// A part of the application always is: nobody would get the cookie of a session that begins
    /// anew.
    pub(super) fn is_under_way_at(self, tombstone_age: Duration) -> bool {
        !self.has_client || tombstone_age <= self.since_arrival.saturating_add(self.grace)
    }
}

impl Gone {
    /// Chooses the end that leaves a login fewer ways: somebody else's, whatever the order of the
    /// cookies.
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

    /// Returns whether a login may create a session in place of the one that is gone. `None` if the
    /// tombstone has to be read.
    ///
    /// A verified password is a new session by intent, unless somebody else ended the former one
    /// while the request was under way.
    pub(super) fn allows_login(self, age: RequestAge) -> Option<bool> {
        match self {
            _ if !age.has_client => Some(false),
            Self::Unread => None,
            // An end by somebody else would have left a tombstone for longer.
            Self::Expired => Some(age.since_arrival < TOMBSTONE_FOR),
            Self::Read { kind: TombstoneKind::Destroyed(reason), is_before_arrival } => {
                Some(is_before_arrival || reason == DestroyReason::LoggedOut)
            }
            Self::Read { kind: TombstoneKind::Rotated(_) | TombstoneKind::Renewed(_), .. } => {
                Some(true)
            }
        }
    }

    fn is_elsewhere(&self) -> bool {
        let Self::Read { kind: TombstoneKind::Destroyed(reason), .. } = self else { return false };
        *reason != DestroyReason::LoggedOut
    }
}
