//! The headers that a response must carry for its session.

use std::borrow::Cow;
use std::fmt;
use std::str;
use std::sync::Arc;

use crate::http::cache_control::{Cacheability, TARGETED};
use crate::http::vary::VaryNames;
use crate::lifecycle::Outcome;

const CACHE_CONTROL: &str = "cache-control";
const SET_COOKIE: &str = "set-cookie";
const VARY: &str = "vary";

/// The headers that a response must carry for its session, from
/// [`SessionHandle::finish`](crate::SessionHandle::finish).
///
/// The adapters apply these headers for you. In a custom adapter, add the [`pairs`](Self::pairs) to
/// the response.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "without these headers the client does not get its session cookie or token"]
pub struct SessionHeaders {
    issued: Issued,
    vary: Option<VaryNames>,
    cacheability: Cacheability,
}

/// The values that the client gets.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Issued {
    Nothing,
    /// The session's cookie, and for a removal with a domain the second cookie to remove.
    Cookies(String, Option<String>),
    /// The header's name in lower case, and the token. An empty token says that the session is
    /// over.
    Token(Arc<str>, String),
}

impl SessionHeaders {
    /// `vary` has the names for a response that depends on the session.
    pub(crate) fn new(outcome: &Outcome, issued: Issued, vary: &VaryNames) -> Self {
        let cacheability = match (&issued, outcome.was_live || outcome.may_go_live) {
            _ if outcome.is_degraded => Cacheability::NoStore,
            (Issued::Cookies(..) | Issued::Token(..), _) => Cacheability::NoStore,
            (Issued::Nothing, true) => Cacheability::Private,
            (Issued::Nothing, false) => Cacheability::Unchanged,
        };
        let vary = (outcome.accessed || outcome.may_go_live).then(|| vary.clone());
        Self { issued, vary, cacheability }
    }

    /// Returns the headers to add to a response that has the headers `given`, with names in lower
    /// case. The list is empty for a request that ignored its session.
    ///
    /// - `set-cookie`: append to the cookies of the handler. The value contains a signed id, so
    ///   mark the header as sensitive if the web framework supports that. Removing a cookie with a
    ///   [domain](crate::SessionConfig::cookie_domain) takes two headers, and the second is for the
    ///   host alone.
    /// - `session-token`, or the [configured](crate::SessionConfig::token_response_header) header:
    ///   the bearer token for the client to keep, or an empty value at the end of the session. Mark
    ///   the header as sensitive too.
    /// - `vary`: append. Missing if `given` already has the names.
    /// - `cache-control`: **first remove** the given headers of this name. Missing if `given` is
    ///   already as strict.
    /// - Headers for shared caches, such as `cdn-cache-control` ([RFC 9213]): first remove the
    ///   given headers of the same name. Present for each given header that is less strict.
    ///
    /// [RFC 9213]: https://www.rfc-editor.org/rfc/rfc9213
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Session, SessionConfig, SessionHeaders, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// /// For a web framework whose headers are a list of names and values.
    /// fn apply(session: &SessionHeaders, headers: &mut Vec<(String, Vec<u8>)>) {
    ///     let given = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    ///     for (name, value) in session.pairs(given) {
    ///         if !["set-cookie", "vary"].contains(&name) {
    ///             headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
    ///         }
    ///         headers.push((name.to_owned(), value.into_bytes()));
    ///     }
    /// }
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let handle = sessions.open([b"theme=dark".as_slice()]);
    /// handle.session::<Visitor>().set_count(1).await?;
    /// let mut headers = vec![("Cache-Control".to_owned(), b"public".to_vec())];
    /// apply(&handle.finish(), &mut headers);
    /// let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["set-cookie", "vary", "cache-control"]);
    /// assert_eq!(headers[2].1, b"no-store");
    /// # });
    /// ```
    #[doc(alias = "headers")]
    pub fn pairs<'a>(
        &self,
        given: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Vec<(&str, String)> {
        if self.is_empty() {
            return Vec::new();
        }
        let MissingHeaders { set_cookies, token, vary, cache_control, targeted } =
            self.missing(given);
        let set_cookies =
            set_cookies.into_iter().flatten().map(|value| (SET_COOKIE, value.to_owned()));
        let token = token.map(|(name, value)| (name, value.to_owned()));
        let vary = vary.map(|value| (VARY, value.into_owned()));
        let cache_control = cache_control.map(|value| (CACHE_CONTROL, value.into_owned()));
        let targeted = targeted.into_iter().map(|(name, value)| (name, value.to_owned()));
        set_cookies.chain(token).chain(vary).chain(cache_control).chain(targeted).collect()
    }

    /// Returns the same as [`pairs`](Self::pairs), for adapters that access headers by name.
    pub(crate) fn missing<'a>(
        &self,
        given: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> MissingHeaders<'_> {
        let given = ExistingHeaders::collect(given, self.vary.as_ref());
        let restrict =
            |(name, given): (_, String)| Some((name, self.cacheability.restrict_targeted(&given)?));
        MissingHeaders {
            set_cookies: match &self.issued {
                Issued::Cookies(cookie, other) => [Some(cookie), other.as_deref()],
                Issued::Nothing | Issued::Token(..) => [None; 2],
            },
            token: match &self.issued {
                Issued::Token(name, token) => Some((name, token)),
                Issued::Nothing | Issued::Cookies(..) => None,
            },
            vary: self.vary.as_ref().and_then(|names| names.lacking(given.varies_on)),
            cache_control: self.cacheability.restrict(&given.cache_control),
            targeted: given.targeted.into_iter().filter_map(restrict).collect(),
        }
    }

    /// Returns the value of the first `Set-Cookie` header, for tests. The part before the first `;`
    /// is the cookie that a browser sends next.
    pub fn set_cookie(&self) -> Option<&str> {
        match &self.issued {
            Issued::Cookies(cookie, _) => Some(cookie),
            Issued::Nothing | Issued::Token(..) => None,
        }
    }

    /// Returns the bearer token for the client to keep, for tests. The token is empty if the
    /// session is over.
    pub fn session_token(&self) -> Option<&str> {
        match &self.issued {
            Issued::Token(_, token) => Some(token),
            Issued::Nothing | Issued::Cookies(..) => None,
        }
    }

    /// Returns whether the response needs no headers, because the request ignored its session.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.issued, Issued::Nothing)
            && self.vary.is_none()
            && self.cacheability == Cacheability::Unchanged
    }
}

/// The values that a response lacks. Cookies and `Vary` are added, and the other values replace all
/// headers of the same name.
pub(crate) struct MissingHeaders<'a> {
    pub(crate) set_cookies: [Option<&'a str>; 2],
    /// The name and the value.
    pub(crate) token: Option<(&'a str, &'a str)>,
    pub(crate) vary: Option<Cow<'static, str>>,
    pub(crate) cache_control: Option<Cow<'static, str>>,
    pub(crate) targeted: Vec<(&'static str, &'static str)>,
}

/// The headers that a response already has.
#[derive(Default)]
struct ExistingHeaders {
    /// The names of the session that `Vary` contains.
    varies_on: [bool; 2],
    /// All headers of this name as a single list ([RFC 9110 §5.3]).
    ///
    /// [RFC 9110 §5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    cache_control: String,
    /// The lists of the targeted headers, by name.
    targeted: Vec<(&'static str, String)>,
}

impl ExistingHeaders {
    fn collect<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        vary: Option<&VaryNames>,
    ) -> Self {
        let mut given = Self::default();
        for (name, value) in headers {
            // A value that is not text has no meaning, and is not left unchanged.
            let value = str::from_utf8(value).unwrap_or_default();
            if name.eq_ignore_ascii_case(VARY) {
                given.add_vary(vary.map(|names| names.contained(value)).unwrap_or_default());
            } else if name.eq_ignore_ascii_case(CACHE_CONTROL) {
                append(&mut given.cache_control, value);
            } else if let Some(name) =
                TARGETED.into_iter().find(|known| name.eq_ignore_ascii_case(known))
            {
                given.add_targeted(name, value);
            }
        }
        given
    }

    fn add_vary(&mut self, contained: [bool; 2]) {
        for (is_contained, more) in self.varies_on.iter_mut().zip(contained) {
            *is_contained |= more;
        }
    }

    fn add_targeted(&mut self, name: &'static str, value: &str) {
        match self.targeted.iter_mut().find(|(known, _)| *known == name) {
            Some((_, list)) => append(list, value),
            None => self.targeted.push((name, value.to_owned())),
        }
    }
}

fn append(list: &mut String, value: &str) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push_str(value);
}

impl fmt::Debug for SessionHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHeaders")
            .field("set_cookie", &self.set_cookie().is_some())
            .field("session_token", &self.session_token().is_some())
            .field("vary", &self.vary.is_some())
            .field("cacheability", &self.cacheability)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIES: VaryNames = VaryNames { cookies: true, tokens: None };

    fn pairs(set_cookie: Option<&str>, given: &[(&str, &str)]) -> Vec<String> {
        let outcome = Outcome { accessed: true, was_live: true, ..Outcome::default() };
        lacking(&headers(&outcome, set_cookie), given)
    }

    fn headers(outcome: &Outcome, set_cookie: Option<&str>) -> SessionHeaders {
        let issued = match set_cookie {
            Some(cookie) => Issued::Cookies(cookie.to_owned(), None),
            None => Issued::Nothing,
        };
        SessionHeaders::new(outcome, issued, &COOKIES)
    }

    fn lacking(headers: &SessionHeaders, given: &[(&str, &str)]) -> Vec<String> {
        values(&headers.pairs(given.iter().map(|(name, value)| (*name, value.as_bytes()))))
    }

    fn values(pairs: &[(&str, String)]) -> Vec<String> {
        pairs.iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    #[test]
    fn existing_headers_are_not_repeated() {
        let vary = "vary: Cookie".to_owned();
        let private = "cache-control: private".to_owned();
        for (given, expected) in [
            (vec![], vec![vary.clone(), private.clone()]),
            (vec![("Vary", "Accept"), ("Vary", "Origin, COOKIE")], vec![private.clone()]),
            (vec![("vary", "*")], vec![private.clone()]),
            (vec![("vary", "Accept, Cookies")], vec![vary.clone(), private.clone()]),
            (vec![("Cache-Control", "no-store")], vec![vary.clone()]),
            (
                vec![("Cache-Control", "public"), ("cache-control", "max-age=5")],
                vec![vary, format!("{private}, max-age=5")],
            ),
        ] {
            assert_eq!(pairs(None, &given), expected, "{given:?}");
        }
    }

    #[test]
    fn a_response_with_a_cookie_has_no_store() {
        let told = pairs(Some("id=x"), &[("vary", "cookie"), ("set-cookie", "theme=dark")]);
        assert_eq!(told, ["set-cookie: id=x", "cache-control: no-store"]);
    }

    fn outcome() -> Outcome {
        Outcome { accessed: true, ..Outcome::default() }
    }

    #[test]
    fn a_request_that_ignored_its_session_adds_no_headers() {
        let headers = headers(&Outcome { accessed: false, ..outcome() }, None);
        assert!(
            headers.is_empty() && headers.pairs([]).is_empty() && headers.set_cookie().is_none()
        );
    }

    #[test]
    fn a_request_that_found_no_session_may_be_stored_for_those_without_cookies() {
        let headers = headers(&outcome(), None);
        assert!(!headers.is_empty());
        assert_eq!(values(&headers.pairs([])), ["vary: Cookie"]);
    }

    #[test]
    fn a_response_without_its_session_is_not_stored() {
        let headers = headers(&Outcome { is_degraded: true, ..outcome() }, None);
        assert_eq!(values(&headers.pairs([])), ["vary: Cookie", "cache-control: no-store"]);
    }

    #[test]
    fn a_response_that_may_use_the_session_later_is_private() {
        let outcome = Outcome { may_go_live: true, ..Outcome::default() };
        let headers = headers(&outcome, None);
        let told = values(&headers.pairs([("cache-control", b"public, max-age=60".as_slice())]));
        assert_eq!(told, ["vary: Cookie", "cache-control: private, max-age=60"]);
    }

    #[test]
    fn fields_for_shared_caches_are_narrowed_too() {
        let given = [
            ("CDN-Cache-Control", "max-age=60"),
            ("Surrogate-Control", "no-store"),
            ("surrogate-control", "max-age=60"),
            ("cache-control", "no-store"),
            ("vary", "cookie"),
        ];
        assert_eq!(pairs(None, &given), ["cdn-cache-control: no-store"]);
        let given = [
            ("vary", "cookie"),
            ("cache-control", "no-store"),
            ("Cloudflare-CDN-Cache-Control", "x"),
        ];
        assert_eq!(
            pairs(Some("id=x"), &given),
            ["set-cookie: id=x", "cloudflare-cdn-cache-control: no-store"]
        );
        let unasked = headers(&outcome(), None);
        let given = [("cdn-cache-control", b"public".as_slice()), ("vary", b"cookie")];
        assert!(unasked.pairs(given).is_empty(), "no session, nothing private");
    }

    #[test]
    fn a_header_that_is_not_text_is_replaced() {
        let headers = headers(&outcome(), Some("id=x"));
        let given = [
            ("cdn-cache-control", b"max-age=60, x=\"\xff\"".as_slice()),
            ("cache-control", b"\xff"),
        ];
        assert_eq!(
            values(&headers.pairs(given))[2..],
            ["cache-control: no-store", "cdn-cache-control: no-store"]
        );
    }

    fn token(value: &str, vary: &VaryNames) -> SessionHeaders {
        let issued = Issued::Token("session-token".into(), value.to_owned());
        SessionHeaders::new(&Outcome { accessed: true, ..outcome() }, issued, vary)
    }

    #[test]
    fn a_token_is_in_its_header_and_never_in_a_cookie() {
        let bearer = VaryNames { cookies: false, tokens: Some("authorization".into()) };
        let headers = token("abc", &bearer);
        assert_eq!((headers.session_token(), headers.set_cookie()), (Some("abc"), None));
        assert_eq!(
            lacking(&headers, &[]),
            ["session-token: abc", "vary: Authorization", "cache-control: no-store"]
        );
        let end = token("", &VaryNames { tokens: Some("x-token".into()), ..bearer });
        assert_eq!(
            lacking(&end, &[("vary", "accept, authorization")]),
            ["session-token: ", "vary: x-token", "cache-control: no-store"]
        );
    }

    #[test]
    fn a_response_of_two_transports_varies_on_both() {
        let both = VaryNames { cookies: true, tokens: Some("authorization".into()) };
        let headers = SessionHeaders::new(&outcome(), Issued::Nothing, &both);
        for (given, expected) in [
            (&[][..], Some("vary: Cookie, Authorization")),
            (&[("vary", "origin, authorization")], Some("vary: Cookie")),
            (&[("vary", "COOKIE")], Some("vary: Authorization")),
            (&[("vary", "cookie"), ("vary", "Authorization")], None),
            (&[("vary", "*")], None),
        ] {
            assert_eq!(lacking(&headers, given), Vec::from_iter(expected), "{given:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_cookie() {
        let headers = headers(&outcome(), Some("id=x"));
        assert_eq!(headers.set_cookie(), Some("id=x"));
        assert_eq!(
            format!("{headers:?}"),
            "SessionHeaders { set_cookie: true, session_token: false, vary: true, cacheability: \
             NoStore }"
        );
    }
}
