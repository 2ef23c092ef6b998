//! A session cookie's value, as it is read and as it is written.

use std::time::Duration;

use crate::id::SessionId;

/// An id that a cookie names rightly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) id: SessionId,
    /// By another key, or in another format, than would be written now.
    pub(crate) is_outdated: bool,
}

/// A cookie's value.
pub(crate) struct Written {
    pub(crate) value: String,
    /// How long it is read, if not for ever.
    pub(crate) lasts: Option<Duration>,
}
