//! The request headers on which a response depends ([RFC 9110 §12.5.5]).
//!
//! [RFC 9110 §12.5.5]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::AUTHORIZATION;

/// The request headers that name sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VaryNames {
    pub(crate) cookies: bool,
    /// The header of tokens, in lower case.
    pub(crate) tokens: Option<Arc<str>>,
}

impl VaryNames {
    fn all(&self) -> [Option<&str>; 2] {
        let tokens = self.tokens.as_deref();
        let tokens = tokens.map(|name| if name == AUTHORIZATION { "Authorization" } else { name });
        [self.cookies.then_some("Cookie"), tokens]
    }

    /// Returns which of the names a `Vary` header contains.
    pub(super) fn contained(&self, vary: &str) -> [bool; 2] {
        let listed = || vary.split(',').map(str::trim);
        self.all().map(|name| {
            name.is_some_and(|name| {
                listed().any(|other| other == "*" || other.eq_ignore_ascii_case(name))
            })
        })
    }

    /// Returns the names that a response lacks, as a list.
    pub(super) fn lacking(&self, contained: [bool; 2]) -> Option<Cow<'static, str>> {
        let [cookies, tokens] = self.all();
        let tokens = tokens.filter(|_| !contained[1]);
        match (cookies.filter(|_| !contained[0]), tokens) {
            (None, None) => None,
            (Some(_), None) => Some("Cookie".into()),
            (None, Some(name)) => Some(name.to_owned().into()),
            (Some(cookies), Some(name)) => Some([cookies, ", ", name].concat().into()),
        }
    }
}
