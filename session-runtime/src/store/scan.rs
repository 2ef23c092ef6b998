//! The contract of a walk over all sessions.

use std::fmt;

use super::{Look, Seen};
use crate::id::SessionId;

/// A step of a walk over all live sessions, for [`SessionStore::scan`](super::SessionStore::scan).
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// The prefix of the keys, as in [`SessionKey::new`](super::SessionKey::new). The prefix is
    /// plain text, not a pattern.
    pub prefix: &'a str,
    /// The tag of the sessions that are needed, if only these are. A store may return others too.
    pub tag: Option<&'a str>,
    /// The values to look at.
    pub look: Look<'a>,
    /// The place where the previous step ended. `None` for the first step.
    pub from: Option<&'a ScanCursor>,
}

/// The sessions of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage {
    /// Some live sessions, as they are now. A page may be empty in the middle of the walk.
    pub sessions: Vec<(SessionId, Seen)>,
    /// The place where the next step begins. `None` at the end of the walk.
    pub next: Option<ScanCursor>,
}

/// A place in a walk, as a text that only the store understands. The text may contain the key of a
/// session, so `Debug` does not show the text.
#[derive(Clone, PartialEq, Eq)]
pub struct ScanCursor(Box<str>);

impl ScanCursor {
    /// Creates a place from the store's own text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text of the store.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ScanCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScanCursor(…)")
    }
}
