//! Finding our cookies in a request's `Cookie` headers.

use memchr::memchr_iter;
use smallvec::SmallVec;

/// As long as ours are: an id, a dot and a signature.
const VALUE_LEN: usize = 40 + 1 + 43;

/// Longer values are not ours.
const MAX_VALUE_LEN: usize = 512;

/// The values of all cookies of one name, as they came.
///
/// Kept in one buffer, which holds one of ours in place: a request that never asks for its session does not pay for an allocation.
#[derive(Default)]
pub(crate) struct CookieValues {
    /// Joined with `;`, which no cookie's value can hold.
    joined: SmallVec<[u8; VALUE_LEN]>,
}

impl CookieValues {
    /// Collects the values of the cookies called `name` from the request's `Cookie` headers.
    ///
    /// The headers are taken as bytes: another application's cookie may hold anything. Splits as [RFC 6265 §5.4] joins.
    ///
    /// [RFC 6265 §5.4]: https://www.rfc-editor.org/rfc/rfc6265#section-5.4
    pub(crate) fn collect<'a>(name: &str, headers: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut values = Self::default();
        for pair in headers.into_iter().flat_map(split) {
            let Some(at) = pair.iter().position(|&c| c == b'=') else { continue };
            let (key, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
            if key == name.as_bytes() && !value.is_empty() && value.len() <= MAX_VALUE_LEN {
                values.push(value);
            }
        }
        values
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        split(&self.joined).filter(|value| !value.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    fn push(&mut self, value: &[u8]) {
        if !self.joined.is_empty() {
            self.joined.push(b';');
        }
        self.joined.extend_from_slice(value);
    }
}

/// What stands between semicolons.
fn split(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b';', list).chain([list.len()]);
    ends.scan(0, |from, to| Some(&list[std::mem::replace(from, to + 1)..to]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(headers: &[&[u8]]) -> Vec<String> {
        let collected = CookieValues::collect("sid", headers.iter().copied());
        collected.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn values_of_the_name_are_found_in_every_header_in_order() {
        assert_eq!(values(&[b"a=1; sid=one; b=2;sid=two", b" sid = three "]), ["one", "two", "three"]);
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
    fn one_of_ours_is_held_in_place() {
        let id = crate::SessionId::draw(std::time::UNIX_EPOCH, 0).unwrap();
        let pair = format!("sid={}", crate::keyring::Keyring::new("sid", b"secret", []).sign(&id));
        let values = CookieValues::collect("sid", [pair.as_bytes()]);
        assert!(!values.is_empty() && !values.joined.spilled());
        assert!(CookieValues::collect("sid", []).is_empty());
    }

    #[test]
    fn empty_and_long_values_are_ignored() {
        let long = [b"sid=".as_slice(), &[b'a'; MAX_VALUE_LEN + 1]].concat();
        let longest = [b"sid=".as_slice(), &[b'a'; MAX_VALUE_LEN]].concat();
        assert_eq!(values(&[b"sid=", &long, &longest]), ["a".repeat(MAX_VALUE_LEN)]);
    }
}
