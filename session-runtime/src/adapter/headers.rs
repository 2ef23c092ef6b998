//! The request headers that sessions need, and the session's headers on a response. The frameworks
//! use two versions of the `http` types, with the same names and methods.

/// Defines `apply`, `check_same_origin`, `value` and `values` for the types of this version of
/// `http`.
macro_rules! for_types_of {
    ($($http:ident)::+) => {
        use std::borrow::Cow;

        /// Returns the value of a header. The names that nearly every request needs are created
        /// once, because a lookup by text creates a name each time.
        #[inline]
        pub(super) fn value<'a>(
            headers: &'a $($http)::+::header::HeaderMap,
            name: &'static str,
        ) -> Option<&'a [u8]> {
            use $($http)::+::header::{HOST, HeaderName};

            use $crate::http::fetch_metadata::SEC_FETCH_SITE;
            use $crate::http::forwarded::{X_FORWARDED_HOST, X_FORWARDED_PROTO};

            static FETCH_SITE: HeaderName = HeaderName::from_static(SEC_FETCH_SITE);
            static FORWARDED_HOST: HeaderName = HeaderName::from_static(X_FORWARDED_HOST);
            static FORWARDED_PROTO: HeaderName = HeaderName::from_static(X_FORWARDED_PROTO);
            let value = match name {
                SEC_FETCH_SITE => headers.get(&FETCH_SITE),
                $crate::http::forwarded::HOST => headers.get(HOST),
                X_FORWARDED_HOST => headers.get(&FORWARDED_HOST),
                X_FORWARDED_PROTO => headers.get(&FORWARDED_PROTO),
                _ => headers.get(name),
            };
            value.map(|value| value.as_bytes())
        }

        /// Checks that no page of another origin caused the request.
        pub(super) fn check_same_origin(
            handle: &SessionHandle,
            method: &$($http)::+::Method,
            uri: &$($http)::+::Uri,
            headers: &$($http)::+::header::HeaderMap,
        ) -> Result<(), $crate::Error> {
            handle.check_origin(method.as_str(), values(uri, headers))
        }

        /// Returns the values of the request's headers, with the host that the browser visited.
        pub(super) fn values<'a>(
            uri: &'a $($http)::+::Uri,
            headers: &'a $($http)::+::header::HeaderMap,
        ) -> impl Fn(&'static str) -> Option<&'a [u8]> {
            use $crate::http::forwarded::HOST;

            // In HTTP/2, the URI has the host, often without a header (RFC 9113, section 8.3.1).
            let authority = uri.authority().map(|authority| authority.as_str().as_bytes());
            move |name| match authority {
                Some(host) if name == HOST => Some(host),
                _ => value(headers, name),
            }
        }

        pub(super) fn apply(
            session: &$crate::SessionHeaders,
            headers: &mut $($http)::+::header::HeaderMap,
        ) {
            use $($http)::+::header::{CACHE_CONTROL, HeaderName, HeaderValue, SET_COOKIE, VARY};

            if session.is_empty() {
                return;
            }
            let given = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let lacking = session.missing(given);
            let token = lacking.token.map(|(name, token)| {
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(token))
            });
            for cookie in lacking.set_cookies.into_iter().flatten() {
                if let Ok(mut cookie) = HeaderValue::from_str(cookie) {
                    cookie.set_sensitive(true);
                    headers.append(SET_COOKIE, cookie);
                }
            }
            if let Some((Ok(name), Ok(mut token))) = token {
                token.set_sensitive(true);
                headers.insert(name, token);
            }
            if let Some(vary) = lacking.vary {
                // Outer middleware, such as CORS, may read only the first line.
                let first = headers.get(VARY).filter(|first| !first.is_empty());
                let longer = first.map(|first| [first.as_bytes(), b", ", vary.as_bytes()].concat());
                match (headers.get_mut(VARY), longer.map(|list| HeaderValue::from_bytes(&list))) {
                    (Some(first), Some(Ok(longer))) => *first = longer,
                    _ => {
                        if let Some(vary) = header_value(vary) {
                            headers.append(VARY, vary);
                        }
                    }
                }
            }
            if let Some(cache_control) = lacking.cache_control.and_then(header_value) {
                headers.insert(CACHE_CONTROL, cache_control);
            }
            for (name, value) in lacking.targeted {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
        }

        fn header_value(text: Cow<'static, str>) -> Option<$($http)::+::header::HeaderValue> {
            use $($http)::+::header::HeaderValue;

            match text {
                Cow::Borrowed(text) => Some(HeaderValue::from_static(text)),
                Cow::Owned(text) => HeaderValue::try_from(text).ok(),
            }
        }
    };
}

pub(super) use for_types_of;
