//! The search for visitors over plain http, whose browsers do not keep the cookie.

use std::sync::atomic::{AtomicU8, Ordering};

/// The search for requests over plain http. Such clients get a new cookie each time. So requests
/// are checked only after a cookie was set, and requests that ignore their sessions cost next to
/// nothing.
pub(super) struct PlainHttpSearch(AtomicU8);

impl PlainHttpSearch {
    const IDLE: u8 = 0;
    const DUE: u8 = 1;
    const OVER: u8 = 2;

    /// Returns whether to check the next request, and clears the flag.
    pub(super) fn is_due(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::DUE && self.swap(Self::DUE, Self::IDLE)
    }

    pub(super) fn look_again(&self) {
        if self.0.load(Ordering::Relaxed) == Self::IDLE {
            self.swap(Self::IDLE, Self::DUE);
        }
    }

    /// Warns about a request over plain http that gets a `Secure` cookie.
    pub(super) fn warn_once(&self) {
        if self.end() {
            tracing::warn!(
                "a session cookie with `Secure` was sent over plain HTTP: browsers do not keep \
                 this cookie, so each request creates another session. Serve the site over HTTPS, \
                 or set `cookie_secure` (SESSION_COOKIE_SECURE) to false for development"
            );
        }
    }

    /// Ends the search, and returns whether the search was still going on.
    fn end(&self) -> bool {
        self.0.swap(Self::OVER, Ordering::Relaxed) != Self::OVER
    }

    fn swap(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Default for PlainHttpSearch {
    fn default() -> Self {
        Self(AtomicU8::new(Self::DUE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_checked_after_each_cookie_until_warned() {
        let search = PlainHttpSearch::default();
        assert!(search.is_due() && !search.is_due());
        search.look_again();
        assert!(search.is_due() && search.end());
        search.look_again();
        assert!(!search.is_due() && !search.end());
    }
}
