//! The value of a session cookie, read and written.

use std::time::Duration;

use crate::id::SessionId;

/// The id of a cookie whose signature is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) id: SessionId,
    /// A cookie written now would have another key or format, or on Tornado a later signing time.
    pub(crate) is_outdated: bool,
}

/// The value of a new cookie.
pub(crate) struct Written {
    pub(crate) value: String,
    /// The time for which the value can be read. `None` means for ever.
    pub(crate) lasts: Option<Duration>,
}
