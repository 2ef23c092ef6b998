//! The package's session ids, and how ours go into its cookies.

use std::iter;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::SessionKey;
use super::slot::{slot_of, slot_of_tag};
use crate::error::Error;
use crate::id::SessionId;

/// An id as the package draws it, two random UUIDs, one after the other; with the session's birth, which only the cookie tells.
#[derive(Clone, Copy)]
pub(crate) struct PythonId {
    /// `ID.BIRTH`, in seconds since 1970, as ten digits.
    text: [u8; Self::LEN],
}

impl PythonId {
    const ID_LEN: usize = 2 * UUID_LEN;
    const BIRTH_LEN: usize = 10;
    const LEN: usize = Self::ID_LEN + 1 + Self::BIRTH_LEN;

    /// The id of a session that began at `birth`, which is kept in whole seconds, and ends in 2286.
    pub(crate) fn new(id: &[u8], birth: SystemTime) -> Option<Self> {
        let birth = format!(".{:0width$}", seconds(birth), width = Self::BIRTH_LEN);
        Self::from_ascii(&[id, birth.as_bytes()].concat())
    }

    pub(crate) fn from_ascii(text: &[u8]) -> Option<Self> {
        let text: [u8; Self::LEN] = text.try_into().ok()?;
        let (id, birth) = text.split_at(Self::ID_LEN);
        decimal(birth.strip_prefix(b".")?)?;
        id.chunks(UUID_LEN).all(is_random_uuid).then_some(Self { text })
    }

    /// With the birth.
    pub(crate) fn as_ascii(&self) -> &[u8] {
        &self.text
    }

    /// As the package knows it.
    pub(crate) fn id(&self) -> &str {
        str::from_utf8(&self.text[..Self::ID_LEN]).unwrap_or_default()
    }

    pub(crate) fn birth(&self) -> SystemTime {
        time_of(decimal(&self.text[Self::ID_LEN + 1..]).unwrap_or_default())
    }
}

/// Two cookies of one session may tell different births.
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

/// What stands in a cookie of the package's for this id. It makes a key of it as it is, so that the braces of ours go along.
pub(crate) fn text_of(id: &SessionId) -> String {
    if let Some(python) = id.python() {
        return python.id().to_owned();
    }
    let (tag, rest) = id.expose_secret().split_at(SessionId::TAG_LEN);
    format!("{{{tag}}}{rest}")
}

/// When a cookie for this id counts as signed: that is all that tells the birth of a session of Python's.
pub(crate) fn signing_time(id: &SessionId, now: SystemTime) -> SystemTime {
    id.python().map_or(now, PythonId::birth)
}

/// The id of what stands in a cookie that was signed at `signed_at`.
pub(crate) fn id_of(text: &[u8], signed_at: SystemTime) -> Option<SessionId> {
    let Some(text) = text.strip_prefix(b"{") else {
        return PythonId::new(text, signed_at).map(SessionId::of_python);
    };
    let (tag, rest) = text.split_at_checked(SessionId::TAG_LEN)?;
    let id = SessionId::from_ascii(&[tag, rest.strip_prefix(b"}")?].concat())?;
    id.python().is_none().then_some(id)
}

/// Draws an id of ours whose session is in the same cluster slot as this key, so that a script may move the one to the other.
pub(crate) fn draw_in_slot_of(key: &SessionKey, birth: SystemTime, class: u8) -> Result<SessionId, Error> {
    let (slot, drawn) = (slot_of(key), SessionId::draw(birth, class)?);
    let mut tag = [0; SessionId::TAG_LEN];
    tag.copy_from_slice(drawn.tag().as_bytes());
    // One of 16,384 is in the slot.
    let tag =
        iter::successors(Some(tag), |tag| Some(next(*tag))).take(TAGS).find(|tag| slot_of_tag(tag) == slot);
    Ok(tag.map_or(drawn, |tag| drawn.with_tag(&tag)))
}

/// The next tag with the same beginning; after the last one the first.
fn next(mut tag: [u8; SessionId::TAG_LEN]) -> [u8; SessionId::TAG_LEN] {
    for c in &mut tag[SEARCHED..] {
        let next = ALPHABET.iter().position(|letter| letter == c).unwrap_or_default() + 1;
        *c = ALPHABET[next % ALPHABET.len()];
        if next < ALPHABET.len() {
            break;
        }
    }
    tag
}

/// How many tags have the same beginning.
const TAGS: usize = 1 << (6 * (SessionId::TAG_LEN - SEARCHED));

/// From which character on a tag is searched for; those before are drawn.
const SEARCHED: usize = SessionId::TAG_LEN - 4;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const UUID_LEN: usize = 36;

/// As `str(uuid4())` gives it ([RFC 9562 §5.4]).
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

/// A time that the system's clock cannot reach is none that a session began at.
pub(crate) fn time_of(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

/// A number without a sign: `str::parse` would take a plus.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

    use super::*;
    use crate::id::slot::slot_of;

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
    fn keys_are_those_that_the_package_makes_of_its_cookie() {
        for id in [python(), native()] {
            let key = SessionKey::new("redis", &id);
            assert_eq!(key.expose_secret(), format!("redis:sessions:{}", text_of(&id)));
            assert_eq!(key.prefix(), "redis:sessions:");
            assert_eq!(id_of(text_of(&id).as_bytes(), time_of(NOW)), Some(id));
        }
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
    fn it_shows_its_tag_alone() {
        let shown = format!("{} {:?} {:?}", python(), python(), SessionKey::new("redis", &python()));
        assert_eq!(shown, "6f1d9a4e… SessionId(6f1d9a4e…) SessionKey(redis:sessions:6f1d9a4e…)");
    }

    #[test]
    fn its_birth_is_a_part_of_its_text() {
        let text = python().expose_secret().to_owned();
        assert_eq!(text, format!("{PYTHON}.{NOW}"));
        let read = SessionId::parse(&text).unwrap();
        assert_eq!((read, read.birth()), (python(), time_of(NOW)));
        for other in ["", ".", ".+761741315", ".176174131", ".17617413150", "-1761741315", ".176174131 "] {
            assert!(SessionId::parse(&format!("{PYTHON}{other}")).is_err(), "{other}");
        }
    }

    #[test]
    fn a_birth_that_no_ten_digits_tell_is_none() {
        let born_at = |seconds| PythonId::new(PYTHON.as_bytes(), time_of(seconds)).map(|id| id.birth());
        for seconds in [0, 1, 9_999_999_999] {
            assert_eq!(born_at(seconds), Some(time_of(seconds)));
        }
        assert_eq!(born_at(10_000_000_000), None);
    }

    #[test]
    fn ids_are_the_same_whatever_their_births() {
        let hash = |id: &SessionId| BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let id = |text: &str, seconds| {
            SessionId::of_python(PythonId::new(text.as_bytes(), time_of(seconds)).unwrap())
        };
        assert_eq!((id(PYTHON, 1), hash(&id(PYTHON, 1))), (python(), hash(&python())));
        let other = id(&PYTHON.replace("a374", "a375"), NOW);
        assert!(other != python() && hash(&other) != hash(&python()));
    }

    #[test]
    fn in_braces_stands_no_id_of_python() {
        let (tag, rest) = PYTHON.split_at(SessionId::TAG_LEN);
        assert_eq!(id_of(format!("{{{tag}}}{rest}.{NOW}").as_bytes(), time_of(NOW)), None);
    }

    #[test]
    fn tags_are_counted_through() {
        for (tag, following) in [
            (b"AAAAAAAA", b"AAAABAAA"),
            (b"zyxw-_-_", b"zyxw__-_"),
            (b"zyxw__9_", b"zyxwAA-_"),
            (b"AAAA____", b"AAAAAAAA"),
        ] {
            assert_eq!(next(*tag), *following);
        }
    }

    #[test]
    fn a_successor_is_in_the_same_slot() {
        let key = SessionKey::new("redis", &python());
        let successor = draw_in_slot_of(&key, time_of(NOW), 1).unwrap();
        assert_eq!(slot_of(&SessionKey::new("redis", &successor)), slot_of(&key));
        assert_eq!(successor.birth_and_class(), (time_of(NOW), 1));
        assert_ne!(draw_in_slot_of(&key, time_of(NOW), 1).unwrap(), successor);
    }
}
