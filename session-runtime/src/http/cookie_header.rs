//! The search for session cookies in the `Cookie` headers of a request.

use memchr::{memchr, memchr_iter};
use smallvec::SmallVec;

/// The bytes that fit without an allocation: a session cookie with its name, and a short cookie or
/// two.
const ROOM: usize = 160;

/// The maximum length of the value of a session cookie, and of a token.
pub(super) const MAX_VALUE_LEN: usize = 512;

/// The `Cookie` headers of a request.
///
/// The cookies are parsed only when the session is used. A request that ignores its session pays
/// only for this copy.
#[derive(Default)]
pub(crate) struct CookieHeaders {
    /// The headers, joined like cookies in [RFC 6265 §5.4].
    ///
    /// [RFC 6265 §5.4]: https://www.rfc-editor.org/rfc/rfc6265#section-5.4
    joined: SmallVec<[u8; ROOM]>,
}

impl CookieHeaders {
    /// Collects the headers as bytes, because the cookies of other applications may contain
    /// anything.
    pub(crate) fn collect<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut collected = Self::default();
        for header in headers {
            if !collected.joined.is_empty() {
                collected.joined.push(b';');
            }
            collected.joined.extend_from_slice(header);
        }
        collected
    }

    /// Returns the values of all cookies with this name that may be session cookies, in order.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        split(&self.joined).filter_map(|pair| {
            let at = memchr(b'=', pair)?;
            let (key, value) = (pair[..at].trim_ascii(), unquoted(pair[at + 1..].trim_ascii()));
            let may_be_ours =
                key == name.as_bytes() && !value.is_empty() && value.len() <= MAX_VALUE_LEN;
            may_be_ours.then_some(value)
        })
    }
}

/// Removes a pair of quotes around a value ([RFC 6265 §4.1.1]), which some proxies and servers add.
///
/// [RFC 6265 §4.1.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// Splits a list at semicolons.
fn split(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b';', list).chain([list.len()]);
    ends.scan(0, |from, to| Some(&list[std::mem::replace(from, to + 1)..to]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(headers: &[&[u8]]) -> Vec<String> {
        let collected = CookieHeaders::collect(headers.iter().copied());
        collected.values("sid").map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn values_of_the_name_are_found_in_every_header_in_order() {
        assert_eq!(
            values(&[b"a=1; sid=one; b=2;sid=two", b" sid = three "]),
            ["one", "two", "three"]
        );
    }

    #[test]
    fn other_names_do_not_match() {
        assert!(values(&[b"SID=1; sidx=1; xsid=1; sid; =sid; x=sid=1"]).is_empty());
    }

    #[test]
    fn other_cookies_may_hold_anything() {
        assert_eq!(values(&[b"junk=\xff\xfe\x00; sid=ok; =; ;;"]), ["ok"]);
    }

    #[test]
    fn our_own_value_is_stored_inline() {
        let id =
            crate::SessionId::generate(std::time::UNIX_EPOCH, crate::id::LifetimeId::default())
                .unwrap();
        let name = "__Host-session-id";
        let pair =
            format!("{name}={}", crate::http::signing::Keyring::new(name, b"secret", []).sign(&id));
        let cookies = CookieHeaders::collect([b"theme=dark".as_slice(), pair.as_bytes()]);
        assert!(cookies.values(name).count() == 1 && !cookies.joined.spilled());
    }

    #[test]
    fn one_pair_of_quotes_is_taken_off() {
        assert_eq!(
            values(&[b"sid=\"one\"; sid = \"two\" ;sid=\"\"three\"\""]),
            ["one", "two", "\"three\""]
        );
        assert_eq!(
            values(&[b"sid=\"half; sid=half\"; sid=\"; sid=\"\""]),
            ["\"half", "half\"", "\""]
        );
    }

    #[test]
    fn empty_and_long_values_are_ignored() {
        let long = [b"sid=".as_slice(), &[b'a'; MAX_VALUE_LEN + 1]].concat();
        let longest = [b"sid=".as_slice(), &[b'a'; MAX_VALUE_LEN]].concat();
        assert_eq!(values(&[b"sid=", &long, &longest]), ["a".repeat(MAX_VALUE_LEN)]);
    }
}
