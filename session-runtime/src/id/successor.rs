//! The tag of the successors of a session that Python created.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::slot::{slot_of, slot_of_tag};
use super::{SessionId, SessionKey};

type Tag = [u8; SessionId::TAG_LEN];

/// Returns the tag that all successors of the session under this key have. They are in the same
/// cluster slot, so that a script can rename the key.
///
/// The tag follows from the key, because encrypted values are bound to it.
pub(crate) fn tag_of(key: &SessionKey) -> Tag {
    let (slot, first) = (slot_of(key), first_tag(key));
    // On average, every 16,384th tag is in the slot.
    let found = tags_from(first).find(|tag| slot_of_tag(tag) == slot);
    found.unwrap_or(first)
}

/// Returns the tag with which the search begins.
fn first_tag(key: &SessionKey) -> Tag {
    let hash = Sha256::digest([LABEL, key.expose_secret().as_bytes()].concat());
    let (text, mut tag) = (URL_SAFE_NO_PAD.encode(hash), Tag::default());
    tag.copy_from_slice(&text.as_bytes()[..SessionId::TAG_LEN]);
    tag
}

/// Returns all tags with the same beginning, each once.
fn tags_from(first: Tag) -> impl Iterator<Item = Tag> {
    std::iter::successors(Some(first), |tag| Some(next(*tag))).take(TAGS)
}

/// Returns the next tag with the same beginning. The first tag follows the last.
fn next(mut tag: Tag) -> Tag {
    for c in &mut tag[SEARCHED..] {
        let next = ALPHABET.iter().position(|letter| letter == c).unwrap_or_default() + 1;
        *c = ALPHABET[next % ALPHABET.len()];
        if next < ALPHABET.len() {
            break;
        }
    }
    tag
}

/// Distinguishes this use of SHA-256 from others.
const LABEL: &[u8] = b"session-runtime native tag 1\0";

/// The number of tags with the same beginning.
const TAGS: usize = 1 << (6 * (SessionId::TAG_LEN - SEARCHED));

/// The position from which the search changes characters.
const SEARCHED: usize = SessionId::TAG_LEN - 4;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::python::tests::python;

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
    fn a_tag_is_in_the_slot_of_the_key_and_follows_from_it() {
        for prefix in ["redis", "app", "a:b"] {
            let key = SessionKey::new(prefix, &python());
            let tag = tag_of(&key);
            assert_eq!(slot_of_tag(&tag), slot_of(&key));
            assert_eq!(tag_of(&key), tag);
        }
        let other = SessionKey::new("app", &python());
        assert_ne!(tag_of(&SessionKey::new("redis", &python())), tag_of(&other));
    }
}
