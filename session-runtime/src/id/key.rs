//! The name of a session in the store.

use std::fmt;

use crate::id::SessionId;
#[cfg(feature = "redis")]
use crate::id::slot::StoredKey;

/// The name of a session in the store: `PREFIX:sessions:{TAG}REST`.
///
/// The braces are part of the name. They make a Redis Cluster keep a session, its successor and
/// their tombstones in the same slot. A key contains the secret of the session's id, so `Debug`
/// shows only the tag.
///
/// The key for an id of the Python package `redis_session` has no braces, like the keys of the
/// package: `PREFIX:sessions:ID`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    text: Box<str>,
    rest_at: usize,
}

impl SessionKey {
    /// Creates the key of a session for this prefix.
    ///
    /// The session manager makes keys and stores receive them. This function is for the tests of a
    /// custom store. The prefix is not checked here.
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

    /// Returns the id in a session's key with this prefix. `None` for any other key.
    ///
    /// The inverse of [`new`](Self::new), for the walk of a custom store. The key of an id from
    /// Python does not tell the creation time, which is 1970 then.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::store::SessionKey;
    ///
    /// let id = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0".parse()?;
    /// let key = SessionKey::new("app", &id);
    /// assert_eq!(SessionKey::id_in("app", key.expose_secret()), Some(id));
    /// assert_eq!(SessionKey::id_in("other", key.expose_secret()), None);
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn id_in(prefix: &str, key: &str) -> Option<SessionId> {
        let name = key.strip_prefix(prefix)?.strip_prefix(":sessions:")?;
        let Some((tag, rest)) = name.strip_prefix('{').and_then(|name| name.split_once('}')) else {
            return SessionId::of_python_without_time(name);
        };
        let text = [tag, rest].concat();
        let is_native = tag.len() == SessionId::TAG_LEN && text.len() == SessionId::LEN;
        SessionId::from_ascii(text.as_bytes()).filter(|_| is_native)
    }

    /// Returns the common beginning of all session keys with this prefix.
    #[cfg(feature = "redis")]
    pub(crate) fn prefix(&self) -> &str {
        &self.text[..self.text.rfind(':').map_or(0, |colon| colon + 1)]
    }

    /// Returns the text of the native id in the key. An id from Python has none.
    #[cfg(feature = "redis")]
    pub(crate) fn native_id(&self) -> Option<String> {
        Self::native_id_in(&self.text[self.prefix().len()..])
    }

    /// Returns the text of the native id in the last part of a key.
    #[cfg(feature = "redis")]
    pub(crate) fn native_id_in(name: &str) -> Option<String> {
        let (tag, rest) = name.strip_prefix('{')?.split_once('}')?;
        Some([tag, rest].concat())
    }

    /// Returns the whole key, including the secret of the session's id.
    pub fn expose_secret(&self) -> &str {
        &self.text
    }
}

#[cfg(feature = "redis")]
impl StoredKey for SessionKey {
    fn hash_tag(&self) -> &str {
        match self.text[..self.rest_at].strip_suffix('}') {
            Some(until) => &until[until.len() - SessionId::TAG_LEN..],
            None => &self.text,
        }
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({}…)", &self.text[..self.rest_at])
    }
}
