//! The conditions of a login.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;

/// A moment before the verification of a password, made by
/// [`FoundSessions::checkpoint`](super::FoundSessions::checkpoint). `Debug` does not show the user.
#[derive(Clone)]
pub struct Checkpoint {
    pub(crate) index: &'static str,
    pub(crate) value: Bytes,
    pub(crate) at: SystemTime,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").field("at", &self.at).finish_non_exhaustive()
    }
}

/// The reaction to a login of a user with too many sessions, for
/// [`WriteBatch::at_most`](crate::batch::WriteBatch::at_most).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surplus {
    /// Ends the sessions with the oldest sign-in.
    EndOldest,
    /// Refuses the login with [`Error::is_too_many`](crate::Error::is_too_many).
    Refuse,
}
