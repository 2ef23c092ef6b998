//! The name under which a store keeps one session.

use std::fmt;

use crate::id::SessionId;

/// The name under which a store keeps one session: `PREFIX:sessions:{TAG}REST`.
///
/// The braces are part of it: they make a Redis Cluster keep a session, its successor and their
/// tombstones in one slot. A key holds the secret of its session's id, so `Debug` shows the tag
/// alone.
///
/// That of an id of the Python package `redis_session` has none, as the package makes it:
/// `PREFIX:sessions:ID`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    text: Box<str>,
    rest_at: usize,
}

impl SessionKey {
    /// The key of a session among all that have this prefix.
    ///
    /// The manager makes keys, stores take them; this is for a store's own tests. The prefix is not
    /// checked here.
    pub fn new(prefix: &str, id: &SessionId) -> Self {
        #[cfg(feature = "redis-session-compat")]
        if let Some(python) = id.python() {
            let text = [prefix, ":sessions:", python.id()].concat();
            return Self {
                rest_at: text.len() - python.id().len() + SessionId::TAG_LEN,
                text: text.into(),
            };
        }
        let (tag, rest) = id.expose_secret().split_at(SessionId::TAG_LEN);
        let text = [prefix, ":sessions:{", tag, "}", rest].concat();
        Self { rest_at: text.len() - rest.len(), text: text.into() }
    }

    /// What the keys of all sessions with this prefix begin with.
    #[cfg(feature = "redis")]
    pub(crate) fn prefix(&self) -> &str {
        &self.text[..self.text.rfind(':').map_or(0, |colon| colon + 1)]
    }

    /// What decides on a cluster's slot: what stands in the braces; without any, the whole.
    #[cfg(feature = "redis")]
    pub(crate) fn hash_tag(&self) -> &str {
        match self.text[..self.rest_at].strip_suffix('}') {
            Some(until) => &until[until.len() - SessionId::TAG_LEN..],
            None => &self.text,
        }
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
