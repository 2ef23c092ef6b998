//! The cache headers of responses, so that no shared cache serves a visitor's page to another
//! visitor ([RFC 9111 §5.2]).
//!
//! [RFC 9111 §5.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2

use std::borrow::Cow;

/// Headers that some shared caches read instead of `Cache-Control`: [RFC 9213] and its
/// predecessors. Only shared caches read these headers.
///
/// [RFC 9213]: https://www.rfc-editor.org/rfc/rfc9213
pub(crate) const TARGETED: [&str; 8] = [
    "akamai-cache-control",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "edge-control",
    "netlify-cdn-cache-control",
    "surrogate-control",
    "vercel-cdn-cache-control",
    "x-litespeed-cache-control",
];

/// The degree to which a response may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cacheability {
    /// The headers of the handler stay.
    Unchanged,
    /// Only the visitor's browser may cache the response, which depends on a live session, or may
    /// still do so.
    Private,
    /// Nothing may cache the response. It sets the session cookie, or was made without the session
    /// that the request has.
    NoStore,
}

impl Cacheability {
    /// Returns the `Cache-Control` to send instead of the handler's (`""` without a header).
    /// Returns `None` if the handler's is strict enough.
    pub(crate) fn restrict(self, given: &str) -> Option<Cow<'static, str>> {
        match self {
            Self::Unchanged => None,
            Self::NoStore => (!forbids_storing(given)).then_some("no-store".into()),
            Self::Private if given.is_empty() => Some("private".into()),
            Self::Private if forbids_storing(given) => None,
            // A quoted list of header names is not worth parsing.
            Self::Private if given.contains('"') => Some("private, no-cache".into()),
            Self::Private
                if has(given, "private") && !directives(given).any(opens_to_shared_caches) =>
            {
                None
            }
            Self::Private => Some(private(given).into()),
        }
    }

    /// Returns the value to send instead of the handler's [targeted](TARGETED) header. Returns
    /// `None` if the handler's is strict enough.
    pub(crate) fn restrict_targeted(self, given: &str) -> Option<&'static str> {
        let is_strict = self == Self::Unchanged || forbids_storing(given) || has(given, "private");
        (!is_strict).then_some("no-store")
    }
}

fn private(given: &str) -> String {
    let kept = directives(given).filter(|directive| {
        !opens_to_shared_caches(directive) && !directive.eq_ignore_ascii_case("private")
    });
    std::iter::once("private").chain(kept).collect::<Vec<_>>().join(", ")
}

fn opens_to_shared_caches(directive: &str) -> bool {
    ["public", "s-maxage", "proxy-revalidate"].iter().any(|shared| is_named(directive, shared))
}

/// Returns whether no cache may store the response. With `must-understand`, a cache that knows the
/// response's status ignores `no-store` ([RFC 9111 §5.2.2.3]).
///
/// [RFC 9111 §5.2.2.3]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.3
fn forbids_storing(given: &str) -> bool {
    has(given, "no-store")
        && !directives(given).any(|directive| is_named(directive, "must-understand"))
}

fn is_named(directive: &str, name: &str) -> bool {
    directive.split('=').next().unwrap_or_default().trim_end().eq_ignore_ascii_case(name)
}

fn has(given: &str, name: &str) -> bool {
    directives(given).any(|directive| directive.eq_ignore_ascii_case(name))
}

/// Splits the list at commas, except within quotes. A quote without an end reaches to the end of
/// the text.
fn directives(mut rest: &str) -> impl Iterator<Item = &str> {
    let next = move || {
        if rest.is_empty() {
            return None;
        }
        let (directive, others) = rest.split_at(end_of_directive(rest));
        rest = others.get(1..).unwrap_or_default();
        Some(directive.trim())
    };
    std::iter::from_fn(next).filter(|directive| !directive.is_empty())
}

fn end_of_directive(text: &str) -> usize {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let ends = |byte: u8| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
        byte == b',' && !is_quoted
    };
    text.bytes().position(ends).unwrap_or(text.len())
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
            (Private, "no-store, x=\"a, b\"", None),
            (Private, "must-understand, no-store", Some("private, must-understand, no-store")),
            (Private, "private, x=\"a, public\"", Some("private, no-cache")),
            (Private, "private=\"x, public\"", Some("private, no-cache")),
            (Private, "public, no-cache=\"a, private, b\"", Some("private, no-cache")),
            (Private, "public, private", Some("private")),
            (Private, "private, s-maxage=600, max-age=5", Some("private, max-age=5")),
            (NoStore, "", Some("no-store")),
            (NoStore, "public, max-age=60", Some("no-store")),
            (NoStore, "no-cache, No-Store", None),
            (NoStore, "must-understand, no-store", Some("no-store")),
            (NoStore, "No-Store, Must-Understand, max-age=60", Some("no-store")),
            (NoStore, "public, x=\"a, no-store, b\"", Some("no-store")),
            (NoStore, "public, x=\"\\\", no-store, \"", Some("no-store")),
            (NoStore, "public, x=\"no end, no-store", Some("no-store")),
            (NoStore, "x=\"a\\\\\", no-store", None),
        ] {
            assert_eq!(cacheability.restrict(given).as_deref(), sent, "{cacheability:?} {given}");
        }
    }

    #[test]
    fn fields_for_shared_caches_alone_forbid_storing() {
        for (cacheability, given, sent) in [
            (Unchanged, "max-age=60", None),
            (Private, "max-age=60", Some("no-store")),
            (Private, "private, max-age=60", None),
            (NoStore, "no-store", None),
            (NoStore, "", Some("no-store")),
            (NoStore, "x=\"a, private\"", Some("no-store")),
            (NoStore, "must-understand, no-store", Some("no-store")),
        ] {
            assert_eq!(cacheability.restrict_targeted(given), sent, "{cacheability:?} {given}");
        }
    }

    #[test]
    fn common_values_are_not_allocated() {
        for cacheability in [Private, NoStore] {
            assert!(
                matches!(cacheability.restrict(""), Some(Cow::Borrowed(_))),
                "{cacheability:?}"
            );
        }
    }
}
