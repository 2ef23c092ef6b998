//! The value of an indexed field, as a store compares it with the stored bytes.

use std::fmt;
use std::num::NonZeroUsize;

use bytes::Bytes;

/// The value of an indexed field, as a store compares it with the stored bytes.
///
/// The same value may have different stored bytes. Then all of them begin alike, so a store
/// compares the beginning alone. `Debug` does not show the value.
#[derive(Clone)]
pub struct IndexedValue {
    /// All beginnings, the newest first. Or the whole value.
    bytes: Bytes,
    /// The length of each beginning. `None` if the whole value counts.
    length: Option<NonZeroUsize>,
}

impl IndexedValue {
    /// Creates a value whose stored bytes are always these.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::store::IndexedValue;
    ///
    /// let value = IndexedValue::exact("42".into());
    /// assert!(value.fits(b"42"));
    /// assert!(!value.fits(b"421"));
    /// ```
    pub fn exact(bytes: Bytes) -> Self {
        Self { bytes, length: None }
    }

    /// Creates a value whose stored bytes begin with `newest`, and are followed by any other bytes.
    /// Bytes that were stored earlier may begin with one of `former`.
    ///
    /// All beginnings have the same length: others of `former` are ignored. An empty `newest`
    /// stands for the empty value.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::store::IndexedValue;
    ///
    /// let value = IndexedValue::beginning("k2:42:".into(), ["k1:42:".into()]);
    /// assert!(value.fits(b"k2:42:some") && value.fits(b"k2:42:other"));
    /// assert!(!value.fits(b"k1:42:some") && value.is_same(b"k1:42:some"));
    /// assert!(!value.is_same(b"k2:43:some"));
    /// ```
    pub fn beginning(newest: Bytes, former: impl IntoIterator<Item = Bytes>) -> Self {
        let length = newest.len();
        let mut joined = Vec::from(newest);
        for beginning in former.into_iter().filter(|beginning| beginning.len() == length) {
            joined.extend_from_slice(&beginning);
        }
        Self { bytes: joined.into(), length: NonZeroUsize::new(length) }
    }

    /// Returns whether these stored bytes prove that a session is an entry of this value's list.
    /// Former beginnings do not count.
    pub fn fits(&self, stored: &[u8]) -> bool {
        match self.length {
            None => stored == self.bytes,
            Some(_) => stored.starts_with(self.newest()),
        }
    }

    /// Returns whether these stored bytes are of the same value. Former beginnings count too.
    ///
    /// A rotation that replaces the value by another one keeps no other field.
    pub fn is_same(&self, stored: &[u8]) -> bool {
        match self.length {
            None => stored == self.bytes,
            Some(length) => {
                let mut beginnings = self.bytes.chunks_exact(length.get());
                beginnings.any(|beginning| stored.starts_with(beginning))
            }
        }
    }

    /// Returns the newest beginning, or the whole value.
    pub(crate) fn newest(&self) -> &[u8] {
        let length = self.length.map_or(self.bytes.len(), NonZeroUsize::get);
        &self.bytes[..length]
    }

    /// Returns all beginnings without a separator, the newest first. Or the whole value.
    #[cfg(feature = "redis")]
    pub(crate) fn beginnings(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns how many bytes of a stored value count, or `None` for all.
    #[cfg(feature = "redis")]
    pub(crate) fn length(&self) -> Option<NonZeroUsize> {
        self.length
    }
}

impl fmt::Debug for IndexedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexedValue").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_value_has_the_same_bytes() {
        let value = IndexedValue::exact("ada".into());
        for (stored, expected) in [("ada", true), ("ad", false), ("adam", false), ("", false)] {
            assert_eq!(value.fits(stored.as_bytes()), expected, "{stored}");
            assert_eq!(value.is_same(stored.as_bytes()), expected, "{stored}");
        }
        assert!(IndexedValue::exact(Bytes::new()).fits(b""));
    }

    /// Both are compared beginning by beginning: no bytes from the middle of two count.
    #[test]
    fn only_the_beginning_counts() {
        let former = ["cde", "f", "long", "ghi"].map(Bytes::from);
        let value = IndexedValue::beginning("abc".into(), former);
        for (stored, fits, is_same) in [
            ("abc", true, true),
            ("abcd", true, true),
            ("cde.", false, true),
            ("ghi", false, true),
            ("bcd", false, false),
            ("ab", false, false),
            ("f", false, false),
            ("long", false, false),
            ("xabc", false, false),
            ("", false, false),
        ] {
            assert_eq!(value.fits(stored.as_bytes()), fits, "{stored}");
            assert_eq!(value.is_same(stored.as_bytes()), is_same, "{stored}");
        }
    }

    /// Every value begins with no bytes, so an empty beginning would fit all values.
    #[test]
    fn an_empty_beginning_is_the_empty_value() {
        let value = IndexedValue::beginning(Bytes::new(), [Bytes::new(), "a".into()]);
        assert!(value.fits(b"") && value.is_same(b""));
        assert!(!value.fits(b"a") && !value.is_same(b"a"));
    }

    #[test]
    fn debug_shows_no_value() {
        let values = [
            IndexedValue::exact("secret".into()),
            IndexedValue::beginning("secret".into(), ["former".into()]),
        ];
        for value in values {
            assert_eq!(format!("{value:?}"), "IndexedValue { .. }");
        }
    }
}
