//! The session ids of the Python package `redis_session`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An id of the package, two random UUIDs without a separator, with the creation time of the
/// session. Only the cookie contains the creation time.
#[derive(Clone, Copy)]
pub(crate) struct PythonId {
    /// `ID.TIME`, in seconds since 1970, as ten digits.
    text: [u8; Self::LEN],
}

impl PythonId {
    const ID_LEN: usize = 2 * UUID_LEN;
    const TIME_LEN: usize = 10;
    const LEN: usize = Self::ID_LEN + 1 + Self::TIME_LEN;

    /// Returns the id of a session that was created at `created_at`. The time is kept in whole
    /// seconds, until the year 2286.
    pub(crate) fn new(id: &[u8], created_at: SystemTime) -> Option<Self> {
        let created_at = format!(".{:0width$}", seconds(created_at), width = Self::TIME_LEN);
        Self::from_ascii(&[id, created_at.as_bytes()].concat())
    }

    pub(crate) fn from_ascii(text: &[u8]) -> Option<Self> {
        let text: [u8; Self::LEN] = text.try_into().ok()?;
        let (id, created_at) = text.split_at(Self::ID_LEN);
        decimal(created_at.strip_prefix(b".")?)?;
        id.chunks(UUID_LEN).all(is_random_uuid).then_some(Self { text })
    }

    /// Returns the id with the creation time.
    pub(crate) fn as_ascii(&self) -> &[u8] {
        &self.text
    }

    /// Returns the id as the package writes it.
    pub(crate) fn id(&self) -> &str {
        str::from_utf8(&self.text[..Self::ID_LEN]).unwrap_or_default()
    }

    pub(crate) fn created_at(&self) -> SystemTime {
        time_of(decimal(&self.text[Self::ID_LEN + 1..]).unwrap_or_default())
    }
}

/// Ignores the creation time, which may differ between two cookies of the same session.
impl PartialEq for PythonId {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for PythonId {}

impl std::hash::Hash for PythonId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

const UUID_LEN: usize = 36;

/// Returns whether the text is the result of `str(uuid4())` ([RFC 9562 §5.4]).
///
/// [RFC 9562 §5.4]: https://www.rfc-editor.org/rfc/rfc9562#section-5.4
fn is_random_uuid(text: &[u8]) -> bool {
    text.len() == UUID_LEN
        && text.iter().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => *c == b'-',
            14 => *c == b'4',
            19 => matches!(c, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(c, b'0'..=b'9' | b'a'..=b'f'),
        })
}

pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Returns a time. If the system's clock cannot reach the time, returns 1970, when no session was
/// created.
pub(crate) fn time_of(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

/// Parses a number without a sign. `str::parse` would accept a plus.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

    use super::*;
    use crate::id::SessionId;
    use crate::id::SessionKey;

    pub(crate) const NOW: u64 = 1_761_741_315;
    pub(crate) const PYTHON: &str =
        "6f1d9a4e-0c57-4b3e-9d21-5a8c7e0f3b124c2b8e90-71da-4f6b-8a35-e9d0c1b2a374";
    pub(crate) const NATIVE: &str = "dGFndGFnAGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0";

    pub(crate) fn python() -> SessionId {
        SessionId::of_python(PythonId::new(PYTHON.as_bytes(), time_of(NOW)).unwrap())
    }

    pub(crate) fn native() -> SessionId {
        SessionId::parse(NATIVE).unwrap()
    }

    #[test]
    fn an_id_is_two_random_uuids_and_nothing_else() {
        let is_id = |text: &str| PythonId::new(text.as_bytes(), UNIX_EPOCH).is_some();
        assert!(is_id(PYTHON));
        for other in [
            PYTHON.to_uppercase(),
            PYTHON.replace('-', "_"),
            PYTHON[1..].to_owned(),
            format!("{PYTHON}0"),
            PYTHON.replacen("-4b3e", "-1b3e", 1),
            PYTHON.replacen("-9d21", "-cd21", 1),
            PYTHON.replacen('a', "*", 1),
        ] {
            assert!(!is_id(&other), "{other}");
        }
    }

    #[test]
    fn debug_shows_only_the_tag() {
        let shown =
            format!("{} {:?} {:?}", python(), python(), SessionKey::new("redis", &python()));
        assert_eq!(shown, "6f1d9a4e… SessionId(6f1d9a4e…) SessionKey(redis:sessions:6f1d9a4e…)");
    }

    #[test]
    fn the_creation_time_is_part_of_the_text() {
        let text = python().expose_secret().to_owned();
        assert_eq!(text, format!("{PYTHON}.{NOW}"));
        let read = SessionId::parse(&text).unwrap();
        assert_eq!((read, read.created_at()), (python(), time_of(NOW)));
        for other in
            ["", ".", ".+761741315", ".176174131", ".17617413150", "-1761741315", ".176174131 "]
        {
            assert!(SessionId::parse(&format!("{PYTHON}{other}")).is_err(), "{other}");
        }
    }

    #[test]
    fn a_creation_time_of_more_than_ten_digits_is_refused() {
        let born_at =
            |seconds| PythonId::new(PYTHON.as_bytes(), time_of(seconds)).map(|id| id.created_at());
        for seconds in [0, 1, 9_999_999_999] {
            assert_eq!(born_at(seconds), Some(time_of(seconds)));
        }
        assert_eq!(born_at(10_000_000_000), None);
    }

    #[test]
    fn ids_are_the_same_whatever_their_creation_times() {
        let hash = |id: &SessionId| BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let id = |text: &str, seconds| {
            SessionId::of_python(PythonId::new(text.as_bytes(), time_of(seconds)).unwrap())
        };
        assert_eq!((id(PYTHON, 1), hash(&id(PYTHON, 1))), (python(), hash(&python())));
        let other = id(&PYTHON.replace("a374", "a375"), NOW);
        assert!(other != python() && hash(&other) != hash(&python()));
    }
}
