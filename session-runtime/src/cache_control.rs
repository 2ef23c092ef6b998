//! What a response says to caches, so that no shared cache serves one visitor's page to another ([RFC 9111 §5.2]).
//!
//! [RFC 9111 §5.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2

use std::borrow::Cow;

/// How far a response may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cacheability {
    /// As the handler said.
    Unchanged,
    /// By the visitor's browser alone: it depends on a live session.
    Private,
    /// Not at all: it sets the session's cookie, or was made without the session that it is for.
    NoStore,
}

impl Cacheability {
    /// The `Cache-Control` to send in place of the handler's (`""` without one), or `None` if the handler's does.
    pub(crate) fn restrict(self, given: &str) -> Option<Cow<'static, str>> {
        match self {
            Self::Unchanged => None,
            Self::NoStore => (!has(given, "no-store")).then_some("no-store".into()),
            Self::Private if given.is_empty() => Some("private".into()),
            // A quoted list of header names may hold commas: not worth a parser.
            Self::Private if given.contains('"') => Some("private, no-cache".into()),
            Self::Private if has(given, "no-store") => None,
            Self::Private if has(given, "private") && !directives(given).any(opens_to_shared_caches) => None,
            Self::Private => Some(private(given).into()),
        }
    }
}

fn private(given: &str) -> String {
    let kept = directives(given)
        .filter(|directive| !opens_to_shared_caches(directive) && !directive.eq_ignore_ascii_case("private"));
    std::iter::once("private").chain(kept).collect::<Vec<_>>().join(", ")
}

fn opens_to_shared_caches(directive: &str) -> bool {
    let name = directive.split('=').next().unwrap_or_default().trim_end();
    ["public", "s-maxage", "proxy-revalidate"].iter().any(|shared| name.eq_ignore_ascii_case(shared))
}

fn has(given: &str, name: &str) -> bool {
    directives(given).any(|directive| directive.eq_ignore_ascii_case(name))
}

fn directives(given: &str) -> impl Iterator<Item = &str> {
    given.split(',').map(str::trim).filter(|directive| !directive.is_empty())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::Cacheability::{NoStore, Private, Unchanged};

    #[test]
    fn restrictions() {
        for (cacheability, given, sent) in [
            (Unchanged, "public", None),
            (Private, "", Some("private")),
            (Private, "public, max-age=60", Some("private, max-age=60")),
            (Private, "Public, S-MaxAge=5, immutable", Some("private, immutable")),
            (Private, "private, max-age=60", None),
            (Private, "no-store", None),
            (Private, "private=\"x, public\"", Some("private, no-cache")),
            (Private, "public, no-cache=\"a, private, b\"", Some("private, no-cache")),
            (Private, "public, private", Some("private")),
            (Private, "private, s-maxage=600, max-age=5", Some("private, max-age=5")),
            (NoStore, "", Some("no-store")),
            (NoStore, "public, max-age=60", Some("no-store")),
            (NoStore, "no-cache, No-Store", None),
        ] {
            assert_eq!(cacheability.restrict(given).as_deref(), sent, "{cacheability:?} {given}");
        }
    }

    #[test]
    fn what_most_responses_get_is_not_allocated() {
        for cacheability in [Private, NoStore] {
            assert!(matches!(cacheability.restrict(""), Some(Cow::Borrowed(_))), "{cacheability:?}");
        }
    }
}
