//! The session's headers, onto a response. The frameworks have two generations of `http`'s types, whose names and methods are the same.

/// Defines `apply` for the header types of this module.
macro_rules! apply_to_headers_of {
    ($($header:ident)::+) => {
        pub(super) fn apply(session: &$crate::SessionHeaders, headers: &mut $($header)::+::HeaderMap) {
            use std::borrow::Cow;

            use $($header)::+::{CACHE_CONTROL, HeaderValue, SET_COOKIE, VARY};

            if session.is_empty() {
                return;
            }
            let given = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let lacking = session.lacking(given);
            if let Some(Ok(mut cookie)) = lacking.set_cookie.map(HeaderValue::from_str) {
                cookie.set_sensitive(true);
                headers.append(SET_COOKIE, cookie);
            }
            if let Some(vary) = lacking.vary {
                headers.append(VARY, HeaderValue::from_static(vary));
            }
            let cache_control = lacking.cache_control.map(|text| match text {
                Cow::Borrowed(text) => Ok(HeaderValue::from_static(text)),
                Cow::Owned(text) => HeaderValue::try_from(text),
            });
            if let Some(Ok(cache_control)) = cache_control {
                headers.insert(CACHE_CONTROL, cache_control);
            }
        }
    };
}

pub(super) use apply_to_headers_of;
