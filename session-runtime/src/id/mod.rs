//! Session ids: their content, generation and parsing.

mod index_key;
mod key;
mod lifetime_id;
#[cfg(feature = "redis-session-compat")]
pub(crate) mod python;
#[cfg(feature = "redis")]
pub(crate) mod slot;
#[cfg(feature = "redis-session-compat")]
pub(crate) mod successor;

pub use index_key::IndexKey;
pub use key::SessionKey;
pub(crate) use lifetime_id::LifetimeId;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

#[cfg(feature = "redis-session-compat")]
use self::python::PythonId;
use crate::error::Error;
use crate::random::fill_random;

/// The id of a session: 30 bytes, written as 40 characters of base64url ([RFC 4648 §5]).
///
/// | bytes | part | content |
/// | --- | --- | --- |
/// | 6 | **tag** | the first 8 characters, which name a session and its rotated successors in logs |
/// | 5 | **creation time** | the time of the creation or the last renewal, in seconds since 1970 |
/// | 1 | **class** | the number of the session's configured [`Lifetime`](crate::Lifetime) |
/// | 18 | **secret** | 144 random bits of the operating system (OWASP asks for at least 64) |
///
/// Anyone with the full id and the signing key can take over the session. `Debug` and `Display`
/// show only the tag. [`expose_secret`](Self::expose_secret) returns the full id.
///
/// # Examples
///
/// ```
/// use session_runtime::SessionId;
///
/// let id: SessionId = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0".parse()?;
/// assert_eq!(id.to_string(), "dGFndGFn…");
/// assert_eq!(id.expose_secret().len(), 40);
/// # Ok::<(), session_runtime::Error>(())
/// ```
///
/// # Ids of `redis_session`
///
/// With the feature `redis-session-compat`, an id may also come from the Python package
/// `redis_session`. Such an id is two random UUIDs, 72 characters, of which the first 8 are the
/// tag. After a dot follows the creation time, the timestamp of the cookie. The class is 0.
///
/// Two such ids with different creation times are equal. A rotation gives such a session an id with
/// another tag.
///
/// [RFC 4648 §5]: https://www.rfc-editor.org/rfc/rfc4648#section-5
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(Text);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Text {
    Native([u8; SessionId::LEN]),
    #[cfg(feature = "redis-session-compat")]
    Python(PythonId),
}

const TAG_BYTES: usize = 6;
const TIME_BYTES: usize = 5;
const SECRET_BYTES: usize = 18;
const BYTES: usize = TAG_BYTES + TIME_BYTES + 1 + SECRET_BYTES;
const SECRET_AT: usize = BYTES - SECRET_BYTES;

impl SessionId {
    pub(crate) const LEN: usize = 40;
    pub(crate) const TAG_LEN: usize = 8;

    /// Generates a new id with random numbers of the operating system.
    pub(crate) fn generate(created_at: SystemTime, lifetime: LifetimeId) -> Result<Self, Error> {
        let mut bytes = [0; BYTES];
        fill_random(&mut bytes)?;
        write_created_at(&mut bytes, created_at);
        bytes[SECRET_AT - 1] = lifetime.as_u8();
        Ok(Self::from_bytes(&bytes))
    }

    /// Generates the next id for a rotation. The tag stays, so both ids are in the same cluster
    /// slot.
    pub(crate) fn generate_successor(
        &self,
        created_at: SystemTime,
        lifetime: LifetimeId,
    ) -> Result<Self, Error> {
        Ok(Self::generate(created_at, lifetime)?.with_tag(&self.as_ascii()[..Self::TAG_LEN]))
    }

    /// Returns this id with another tag, which has the same number of base64url characters.
    pub(crate) fn with_tag(self, tag: &[u8]) -> Self {
        let text = [tag, &self.as_ascii()[Self::TAG_LEN..]].concat();
        Self::from_ascii(&text).unwrap_or(self)
    }

    /// Parses the text that [`expose_secret`](Self::expose_secret) returned.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if the text is not an id. The message does not quote the text.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionId;
    /// let text = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0"; // from a table of the application
    /// assert_eq!(SessionId::parse(text)?.expose_secret(), text);
    /// assert!(SessionId::parse("short").is_err_and(|error| error.is_config()));
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    #[doc(alias = "from_str")]
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::from_ascii(text.as_bytes()).ok_or_else(|| {
            Error::config(
                "invalid session id: expected 40 characters of base64url, as \
                 `SessionId::expose_secret` returns them",
            )
        })
    }

    pub(crate) fn from_ascii(text: &[u8]) -> Option<Self> {
        #[cfg(feature = "redis-session-compat")]
        if text.len() != Self::LEN {
            return PythonId::from_ascii(text).map(Self::of_python);
        }
        let text: [u8; Self::LEN] = text.try_into().ok()?;
        text.iter().all(is_base64url).then_some(Self(Text::Native(text)))
    }

    /// Returns the tag in a text. `None` if the text is not a tag, as [`tag`](Self::tag) returns it
    /// or as `Display` shows it, with `…` at the end.
    #[cfg(any(feature = "admin", feature = "cli"))]
    pub(crate) fn tag_in(text: &str) -> Option<&str> {
        let tag = text.strip_suffix('…').unwrap_or(text);
        (tag.len() == Self::TAG_LEN && tag.as_bytes().iter().all(is_base64url)).then_some(tag)
    }

    /// Returns the id of the Python package with this text. The creation time is 1970.
    pub(super) fn of_python_without_time(text: &str) -> Option<Self> {
        #[cfg(feature = "redis-session-compat")]
        return PythonId::new(text.as_bytes(), UNIX_EPOCH).map(Self::of_python);
        #[cfg(not(feature = "redis-session-compat"))]
        {
            let _ = text;
            None
        }
    }

    /// Returns an id from Python with this creation time, and any other id unchanged.
    pub(crate) fn or_created_at(self, now: SystemTime) -> Self {
        #[cfg(feature = "redis-session-compat")]
        if let Text::Python(id) = &self.0 {
            return PythonId::new(id.id().as_bytes(), now).map_or(self, Self::of_python);
        }
        let _ = now;
        self
    }

    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn of_python(id: PythonId) -> Self {
        Self(Text::Python(id))
    }

    /// Returns the id of the Python package, if this is not an id of this library.
    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn python(&self) -> Option<&PythonId> {
        match &self.0 {
            Text::Native(_) => None,
            Text::Python(id) => Some(id),
        }
    }

    /// Returns the full id, including the secret. [`parse`](Self::parse) reads the text back.
    ///
    /// Store the text only in a place as safe as the session store.
    pub fn expose_secret(&self) -> &str {
        std::str::from_utf8(self.as_ascii()).unwrap_or_default()
    }

    /// Returns the text that only equal ids share: without the creation time of an id from Python.
    pub(crate) fn as_equal_ascii(&self) -> &[u8] {
        match &self.0 {
            Text::Native(text) => text,
            #[cfg(feature = "redis-session-compat")]
            Text::Python(id) => id.id().as_bytes(),
        }
    }

    fn as_ascii(&self) -> &[u8] {
        match &self.0 {
            Text::Native(text) => text,
            #[cfg(feature = "redis-session-compat")]
            Text::Python(id) => id.as_ascii(),
        }
    }

    /// Returns the public part of the id, which is of no use to an attacker. A session and its
    /// rotated successors have the same tag.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_runtime::SessionId;
    /// let id: SessionId = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0".parse()?;
    /// assert_eq!(id.tag(), "dGFndGFn");
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn tag(&self) -> &str {
        &self.expose_secret()[..Self::TAG_LEN]
    }

    pub(crate) fn tag_bytes(&self) -> &[u8; Self::TAG_LEN] {
        self.as_ascii().first_chunk().unwrap_or(&[0; Self::TAG_LEN])
    }

    /// Returns the time of the creation or the last renewal of the session, in whole seconds.
    pub fn created_at(&self) -> SystemTime {
        self.created_at_and_lifetime().0
    }

    pub(crate) fn created_at_and_lifetime(&self) -> (SystemTime, LifetimeId) {
        #[cfg(feature = "redis-session-compat")]
        if let Text::Python(id) = &self.0 {
            return (id.created_at(), LifetimeId::default());
        }
        let bytes = to_bytes(self.as_ascii());
        let mut seconds = [0; 8];
        seconds[8 - TIME_BYTES..].copy_from_slice(&bytes[TAG_BYTES..TAG_BYTES + TIME_BYTES]);
        // The clocks of some systems do not reach as far as five bytes. No session has such a
        // creation time, so any other wrong time will do.
        let created_at = UNIX_EPOCH
            .checked_add(Duration::from_secs(u64::from_be_bytes(seconds)))
            .unwrap_or(UNIX_EPOCH);
        (created_at, LifetimeId::new(bytes[SECRET_AT - 1]))
    }

    fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        let mut text = [b'A'; Self::LEN];
        // 30 bytes are exactly 40 characters, so the buffer always fits.
        let _ = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
        Self(Text::Native(text))
    }
}

impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.tag())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

fn to_bytes(text: &[u8]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    // The text was checked to be 40 characters of the alphabet, which are exactly 30 bytes.
    let _ = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes);
    bytes
}

fn write_created_at(bytes: &mut [u8; BYTES], created_at: SystemTime) {
    let seconds = created_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    bytes[TAG_BYTES..TAG_BYTES + TIME_BYTES]
        .copy_from_slice(&seconds.to_be_bytes()[8 - TIME_BYTES..]);
}

fn is_base64url(c: &u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_pinned() {
        let mut bytes = [0; BYTES];
        bytes[..6].copy_from_slice(b"tagtag");
        write_created_at(&mut bytes, UNIX_EPOCH + Duration::from_secs(1_761_741_315));
        bytes[11] = 1;
        bytes[12..].copy_from_slice(b"secretsecretsecret");
        let id = SessionId::from_bytes(&bytes);
        assert_eq!(id.expose_secret(), "dGFndGFnAGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0");
        assert_eq!(id.created_at(), UNIX_EPOCH + Duration::from_secs(1_761_741_315));
        assert_eq!((id.tag(), id.created_at_and_lifetime().1), ("dGFndGFn", LifetimeId::new(1)));
    }

    #[test]
    fn drawn_ids_keep_created_at_and_lifetime_and_differ() {
        let created_at = UNIX_EPOCH + Duration::from_secs(2_000_000_000);
        let generate = || SessionId::generate(created_at, LifetimeId::new(7)).unwrap();
        let (one, two) = (generate(), generate());
        assert_eq!(one.created_at_and_lifetime(), (created_at, LifetimeId::new(7)));
        assert_ne!(one.tag(), two.tag());
        assert_eq!(SessionId::parse(one.expose_secret()).unwrap(), one);
    }

    #[test]
    fn only_forty_characters_of_the_alphabet_are_an_id() {
        let id = "A".repeat(40);
        assert!(SessionId::parse(&id).is_ok());
        for bad in [
            "",
            "A",
            &"A".repeat(39),
            &"A".repeat(41),
            &id.replacen('A', "+", 1),
            &id.replacen('A', "*", 1),
        ] {
            assert!(SessionId::parse(bad).is_err());
        }
    }

    #[test]
    fn debug_and_display_show_the_tag_alone() {
        let id = SessionId::generate(UNIX_EPOCH, LifetimeId::default()).unwrap();
        for shown in [format!("{id}"), format!("{id:?}")] {
            assert!(shown.contains(id.tag()) && !shown.contains(&id.expose_secret()[8..12]));
        }
    }
}
