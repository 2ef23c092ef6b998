//! The name under which a store keeps one session.

use std::fmt;
use std::sync::Arc;

use crate::id::SessionId;

/// The name under which a store keeps one session: `PREFIX:sessions:{TAG}REST`.
///
/// The braces are part of it: they make a Redis Cluster keep a session, its successor and their tombstones in one slot. A key holds the
/// secret of its session's id, so `Debug` shows the tag alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    text: Arc<str>,
    rest_at: usize,
}

impl SessionKey {
    /// The key of a session among all that have this prefix.
    ///
    /// The manager makes keys, stores take them; this is for a store's own tests. The prefix is not checked here.
    pub fn new(prefix: &str, id: &SessionId) -> Self {
        let (tag, rest) = id.expose_secret().split_at(SessionId::TAG_LEN);
        let text = [prefix, ":sessions:{", tag, "}", rest].concat();
        Self { rest_at: text.len() - rest.len(), text: text.into() }
    }

    /// What the keys of all sessions with this prefix begin with.
    #[cfg(feature = "redis")]
    pub(crate) fn prefix(&self) -> &str {
        &self.text[..self.rest_at - 2 - SessionId::TAG_LEN]
    }

    /// What stands in the braces.
    #[cfg(feature = "redis")]
    pub(crate) fn tag(&self) -> &str {
        &self.text[self.rest_at - 1 - SessionId::TAG_LEN..self.rest_at - 1]
    }

    /// The whole key, the session's secret included.
    pub fn expose_secret(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({}…)", &self.text[..self.rest_at])
    }
}
