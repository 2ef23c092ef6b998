//! The search for the bearer token in the headers of a request.

use super::cookie_header::MAX_VALUE_LEN;
use super::credentials::Credentials;
use crate::config::TokenHeader;

/// The scheme of [RFC 6750 §2.1], in any case ([RFC 9110 §11.1]).
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
/// [RFC 9110 §11.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.1
const SCHEME: &[u8] = b"bearer";

impl TokenHeader {
    /// Returns the token of a request with these values of the header. `None` means that the
    /// request has no token, and the cookies count.
    ///
    /// An empty token is a token too, but names no session. Different tokens in one request make
    /// one value that does not verify. So two servers in a row never disagree on the token that
    /// counts.
    pub(crate) fn credentials<'a>(
        &self,
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<Credentials> {
        let mut tokens = values.into_iter().filter_map(|value| self.token(value));
        let first = tokens.next()?;
        let mut joined = first.to_vec();
        for token in tokens.filter(|token| *token != first) {
            joined.extend_from_slice(b", ");
            joined.extend_from_slice(token);
        }
        let is_usable = !joined.is_empty() && joined.len() <= MAX_VALUE_LEN;
        Some(Credentials::Token(is_usable.then_some(joined.into())))
    }

    /// Returns the token in a value of the header. `None` if the scheme is another.
    fn token<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        let value = value.trim_ascii();
        if matches!(self, Self::Named(_)) {
            return Some(value);
        }
        let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
        let is_bearer = scheme.eq_ignore_ascii_case(SCHEME);
        let ends_here = rest.first().is_none_or(u8::is_ascii_whitespace);
        (is_bearer && ends_here).then(|| rest.trim_ascii_start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `None` without a token, and the empty text for an unusable token.
    fn token(header: &TokenHeader, values: &[&[u8]]) -> Option<String> {
        let Credentials::Token(token) = header.credentials(values.iter().copied())? else {
            panic!("headers of tokens have no cookies")
        };
        Some(token.map_or_else(String::new, |token| String::from_utf8_lossy(&token).into_owned()))
    }

    #[test]
    fn the_scheme_bearer_in_any_case_has_the_token() {
        for (values, expected) in [
            (&[][..], None),
            (&[&b"Bearer abc"[..]], Some("abc")),
            (&[b"bearer abc"], Some("abc")),
            (&[b"BEARER   abc  "], Some("abc")),
            (&[b"Bearer\tabc"], Some("abc")),
            (&[b"Bearer"], Some("")),
            (&[b"Bearer "], Some("")),
            (&[b""], None),
            (&[b"Bearerabc"], None),
            (&[b"Bear abc"], None),
            (&[b"Basic dXNlcjpwYXNz"], None),
            (&[b"Basic dXNlcjpwYXNz", b"Bearer abc"], Some("abc")),
            (&[b"Bearer abc", b"Basic dXNlcjpwYXNz"], Some("abc")),
            (&[b"Bearer abc", b"Bearer abc"], Some("abc")),
            (&[b"Bearer abc", b"bearer def"], Some("abc, def")),
            (&[b"Bearer abc, Bearer def"], Some("abc, Bearer def")),
            (&[b"Bearer", b"Bearer abc"], Some(", abc")),
            (&[b"Bearer \xff\xfe"], Some("\u{fffd}\u{fffd}")),
            (&[b"\xff\xff\xff\xff\xff\xff abc"], None),
        ] {
            let found = token(&TokenHeader::Authorization, values);
            assert_eq!(found.as_deref(), expected, "{values:?}");
        }
    }

    #[test]
    fn a_header_of_its_own_has_the_token_alone() {
        let header = TokenHeader::Named("x-session-token".into());
        for (values, expected) in [
            (&[][..], None),
            (&[&b"abc"[..]], Some("abc")),
            (&[b" abc "], Some("abc")),
            (&[b"Bearer abc"], Some("Bearer abc")),
            (&[b""], Some("")),
            (&[b"abc", b"abc"], Some("abc")),
            (&[b"abc", b"def"], Some("abc, def")),
        ] {
            assert_eq!(token(&header, values).as_deref(), expected, "{values:?}");
        }
    }

    #[test]
    fn a_token_that_is_too_long_is_an_unusable_token() {
        let value = |length| [b"Bearer ".as_slice(), &vec![b'a'; length]].concat();
        let found = |length| token(&TokenHeader::Authorization, &[&value(length)]).unwrap();
        assert_eq!(found(MAX_VALUE_LEN).len(), MAX_VALUE_LEN);
        assert_eq!((found(MAX_VALUE_LEN + 1), found(10_000)), (String::new(), String::new()));
    }
}
