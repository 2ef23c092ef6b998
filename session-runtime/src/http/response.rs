//! The headers that a response must carry for its session.

use std::borrow::Cow;
use std::fmt;
use std::str;

use crate::http::cache_control::{Cacheability, TARGETED};
use crate::lifecycle::Outcome;

const CACHE_CONTROL: &str = "cache-control";
const SET_COOKIE: &str = "set-cookie";
const VARY: &str = "vary";
const VARY_ON_COOKIES: &str = "Cookie";

/// The headers that a response must carry for its session, from
/// [`SessionHandle::finish`](crate::SessionHandle::finish).
///
/// The adapters apply these headers for you. In a custom adapter, add the [`pairs`](Self::pairs) to
/// the response.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "without these headers the client does not get its session cookie"]
pub struct SessionHeaders {
    set_cookie: Option<String>,
    /// The second cookie to remove, in addition to the removal for a domain.
    host_only_removal: Option<String>,
    vary: bool,
    cacheability: Cacheability,
}

impl SessionHeaders {
    pub(crate) fn new(outcome: &Outcome, set_cookie: Option<String>) -> Self {
        let cacheability = match (&set_cookie, outcome.was_live || outcome.may_go_live) {
            _ if outcome.is_degraded => Cacheability::NoStore,
            (Some(_), _) => Cacheability::NoStore,
            (None, true) => Cacheability::Private,
            (None, false) => Cacheability::Unchanged,
        };
        let vary = outcome.accessed || outcome.may_go_live;
        Self { set_cookie, host_only_removal: None, vary, cacheability }
    }

    /// Adds a second cookie to remove.
    pub(crate) fn and_removal(self, host_only_removal: Option<String>) -> Self {
        Self { host_only_removal, ..self }
    }

    /// Returns the headers to add to a response that has the headers `given`, with names in lower
    /// case. The list is empty for a request that ignored its session.
    ///
    /// - `set-cookie`: append to the cookies of the handler. The value contains a signed id, so
    ///   mark the header as sensitive if the web framework supports that. Removing a cookie with a
    ///   [domain](crate::SessionConfig::cookie_domain) takes two headers, and the second is for the
    ///   host alone.
    /// - `vary`: append. Missing if `given` already has the value.
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
    ) -> Vec<(&'static str, String)> {
        if self.is_empty() {
            return Vec::new();
        }
        let MissingHeaders { set_cookies, vary, cache_control, targeted } = self.missing(given);
        let set_cookies =
            set_cookies.into_iter().flatten().map(|value| (SET_COOKIE, value.to_owned()));
        let vary = vary.map(|value| (VARY, value.to_owned()));
        let cache_control = cache_control.map(|value| (CACHE_CONTROL, value.into_owned()));
        let targeted = targeted.into_iter().map(|(name, value)| (name, value.to_owned()));
        set_cookies.chain(vary).chain(cache_control).chain(targeted).collect()
    }

    /// Returns the same as [`pairs`](Self::pairs), for adapters that access headers by name.
    pub(crate) fn missing<'a>(
        &self,
        given: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> MissingHeaders<'_> {
        let given = ExistingHeaders::collect(given);
        let restrict =
            |(name, given): (_, String)| Some((name, self.cacheability.restrict_targeted(&given)?));
        MissingHeaders {
            set_cookies: [self.set_cookie(), self.host_only_removal.as_deref()],
            vary: (self.vary && !given.varies_on_cookies).then_some(VARY_ON_COOKIES),
            cache_control: self.cacheability.restrict(&given.cache_control),
            targeted: given.targeted.into_iter().filter_map(restrict).collect(),
        }
    }

    /// Returns the value of the first `Set-Cookie` header, for tests. The part before the first `;`
    /// is the cookie that a browser sends next.
    pub fn set_cookie(&self) -> Option<&str> {
        self.set_cookie.as_deref()
    }

    /// Returns whether the response needs no headers, because the request ignored its session.
    pub(crate) fn is_empty(&self) -> bool {
        self.set_cookie.is_none() && !self.vary && self.cacheability == Cacheability::Unchanged
    }
}

/// The values that a response lacks. Cookies and `Vary` are added, and the other values replace all
/// headers of the same name.
pub(crate) struct MissingHeaders<'a> {
    pub(crate) set_cookies: [Option<&'a str>; 2],
    pub(crate) vary: Option<&'static str>,
    pub(crate) cache_control: Option<Cow<'static, str>>,
    pub(crate) targeted: Vec<(&'static str, &'static str)>,
}

/// The headers that a response already has.
#[derive(Default)]
struct ExistingHeaders {
    varies_on_cookies: bool,
    /// All headers of this name as a single list ([RFC 9110 §5.3]).
    ///
    /// [RFC 9110 §5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    cache_control: String,
    /// The lists of the targeted headers, by name.
    targeted: Vec<(&'static str, String)>,
}

impl ExistingHeaders {
    fn collect<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut given = Self::default();
        for (name, value) in headers {
            // A value that is not text has no meaning, and is not left unchanged.
            let value = str::from_utf8(value).unwrap_or_default();
            if name.eq_ignore_ascii_case(VARY) {
                given.varies_on_cookies |= varies_on_cookies(value);
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

fn varies_on_cookies(vary: &str) -> bool {
    vary.split(',').map(str::trim).any(|name| name == "*" || name.eq_ignore_ascii_case("cookie"))
}

impl fmt::Debug for SessionHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHeaders")
            .field("set_cookie", &self.set_cookie.is_some())
            .field("vary", &self.vary)
            .field("cacheability", &self.cacheability)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(set_cookie: Option<&str>, given: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let outcome = Outcome { accessed: true, was_live: true, ..Outcome::default() };
        let headers = SessionHeaders::new(&outcome, set_cookie.map(str::to_owned));
        headers.pairs(given.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    fn values(pairs: &[(&'static str, String)]) -> Vec<String> {
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
            assert_eq!(values(&pairs(None, &given)), expected, "{given:?}");
        }
    }

    #[test]
    fn a_response_with_a_cookie_has_no_store() {
        let told =
            values(&pairs(Some("id=x"), &[("vary", "cookie"), ("set-cookie", "theme=dark")]));
        assert_eq!(told, ["set-cookie: id=x", "cache-control: no-store"]);
    }

    fn outcome() -> Outcome {
        Outcome { accessed: true, ..Outcome::default() }
    }

    #[test]
    fn a_request_that_ignored_its_session_adds_no_headers() {
        let headers = SessionHeaders::new(&Outcome { accessed: false, ..outcome() }, None);
        assert!(
            headers.is_empty() && headers.pairs([]).is_empty() && headers.set_cookie().is_none()
        );
    }

    #[test]
    fn a_request_that_found_no_session_may_be_stored_for_those_without_cookies() {
        let headers = SessionHeaders::new(&outcome(), None);
        assert!(!headers.is_empty());
        assert_eq!(values(&headers.pairs([])), ["vary: Cookie"]);
    }

    #[test]
    fn a_response_without_its_session_is_not_stored() {
        let headers = SessionHeaders::new(&Outcome { is_degraded: true, ..outcome() }, None);
        assert_eq!(values(&headers.pairs([])), ["vary: Cookie", "cache-control: no-store"]);
    }

    #[test]
    fn a_response_that_may_use_the_session_later_is_private() {
        let outcome = Outcome { may_go_live: true, ..Outcome::default() };
        let headers = SessionHeaders::new(&outcome, None);
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
        assert_eq!(values(&pairs(None, &given)), ["cdn-cache-control: no-store"]);
        let given = [
            ("vary", "cookie"),
            ("cache-control", "no-store"),
            ("Cloudflare-CDN-Cache-Control", "x"),
        ];
        assert_eq!(
            values(&pairs(Some("id=x"), &given)),
            ["set-cookie: id=x", "cloudflare-cdn-cache-control: no-store"]
        );
        let unasked = SessionHeaders::new(&outcome(), None);
        let given = [("cdn-cache-control", b"public".as_slice()), ("vary", b"cookie")];
        assert!(unasked.pairs(given).is_empty(), "no session, nothing private");
    }

    #[test]
    fn a_header_that_is_not_text_is_replaced() {
        let headers = SessionHeaders::new(&outcome(), Some("id=x".to_owned()));
        let given = [
            ("cdn-cache-control", b"max-age=60, x=\"\xff\"".as_slice()),
            ("cache-control", b"\xff"),
        ];
        assert_eq!(
            values(&headers.pairs(given))[2..],
            ["cache-control: no-store", "cdn-cache-control: no-store"]
        );
    }

    #[test]
    fn debug_does_not_show_the_cookie() {
        let headers = SessionHeaders::new(&outcome(), Some("id=x".to_owned()));
        assert_eq!(headers.set_cookie(), Some("id=x"));
        assert_eq!(
            format!("{headers:?}"),
            "SessionHeaders { set_cookie: true, vary: true, cacheability: NoStore }"
        );
    }
}
