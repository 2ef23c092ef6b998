//! What a response has to carry for the session's sake.

use crate::cache_control::Cacheability;
use crate::lifecycle::Outcome;

/// What a response has to carry for the session's sake, as [`SessionHandle::finish`](crate::SessionHandle::finish) gives it.
///
/// [`SessionLayer`](crate::SessionLayer) applies it by itself. By hand: append [`set_cookie`](Self::set_cookie), append
/// [`vary`](Self::vary), and replace the response's `Cache-Control` by [`cache_control`](Self::cache_control).
#[derive(Clone, PartialEq, Eq)]
#[must_use = "without these headers the client never learns of its session"]
pub struct SessionHeaders {
    set_cookie: Option<String>,
    vary: bool,
    cacheability: Cacheability,
}

impl SessionHeaders {
    pub(crate) fn new(outcome: &Outcome, set_cookie: Option<String>) -> Self {
        let cacheability = match (&set_cookie, outcome.was_live) {
            _ if outcome.went_on_without => Cacheability::NoStore,
            (Some(_), _) => Cacheability::NoStore,
            (None, true) => Cacheability::Private,
            (None, false) => Cacheability::Unchanged,
        };
        Self { set_cookie, vary: outcome.asked, cacheability }
    }

    /// The value of a `Set-Cookie` header to append. It holds a signed id: mark it as sensitive.
    pub fn set_cookie(&self) -> Option<&str> {
        self.set_cookie.as_deref()
    }

    /// The value of a `Vary` header to append: the response depends on the request's cookies.
    pub fn vary(&self) -> Option<&'static str> {
        self.vary.then_some("Cookie")
    }

    /// The value that replaces the response's `Cache-Control`, which is `given` (`""` without one); `None` if it may stay.
    pub fn cache_control(&self, given: &str) -> Option<String> {
        self.cacheability.restrict(given)
    }
}

impl std::fmt::Debug for SessionHeaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionHeaders")
            .field("set_cookie", &self.set_cookie.is_some())
            .field("vary", &self.vary)
            .field("cacheability", &self.cacheability)
            .finish()
    }
}
