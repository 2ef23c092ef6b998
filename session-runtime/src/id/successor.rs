//! The tag of the successors of a session that Python created.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::slot::{SlotsOfTags, slot_of};
use super::{SessionId, SessionKey};

type Tag = [u8; SessionId::TAG_LEN];

/// Returns the tag that all successors of the session under this key have. They are in the same
/// cluster slot, so that a script can rename the key.
///
/// The tag follows from the key, because encrypted values are bound to it.
pub(crate) fn tag_of(key: &SessionKey) -> Tag {
    let (slot, first) = (slot_of(key), first_beginning(key));
    // On average, every 16,384th tag is in the slot.
    let found = beginnings_from(first).find_map(|beginning| {
        let slots = SlotsOfTags::new(&beginning);
        ALPHABET.iter().find(|last| slots.slot_with(**last) == slot).map(|last| (beginning, *last))
    });
    let (beginning, last) = found.unwrap_or((first, ALPHABET[0]));
    let mut tag = [last; SessionId::TAG_LEN];
    tag[..BEGINNING_LEN].copy_from_slice(&beginning);
    tag
}

/// Returns the beginning with which the search begins.
fn first_beginning(key: &SessionKey) -> Beginning {
    let hash = Sha256::digest([LABEL, key.expose_secret().as_bytes()].concat());
    let text = URL_SAFE_NO_PAD.encode(hash);
    text.as_bytes().first_chunk().copied().unwrap_or([ALPHABET[0]; BEGINNING_LEN])
}

/// Returns the beginnings that differ only in the characters after [`SEARCHED`], each once.
fn beginnings_from(first: Beginning) -> impl Iterator<Item = Beginning> {
    let count = ALPHABET.len().pow((BEGINNING_LEN - SEARCHED) as u32);
    std::iter::successors(Some(first), |beginning| Some(next(*beginning))).take(count)
}

/// Returns the next beginning. The first follows the last.
fn next(mut beginning: Beginning) -> Beginning {
    for c in &mut beginning[SEARCHED..] {
        let next = ALPHABET.iter().position(|letter| letter == c).unwrap_or_default() + 1;
        *c = ALPHABET[next % ALPHABET.len()];
        if next < ALPHABET.len() {
            break;
        }
    }
    beginning
}

/// Distinguishes this use of SHA-256 from others.
const LABEL: &[u8] = b"session-runtime native tag 1\0";

/// A tag without its last character.
type Beginning = [u8; BEGINNING_LEN];

const BEGINNING_LEN: usize = SessionId::TAG_LEN - 1;

/// The position from which the search changes characters.
const SEARCHED: usize = BEGINNING_LEN - 3;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::python::tests::python;
    use crate::id::slot::slot_of_tag;

    #[test]
    fn beginnings_are_counted_through() {
        for (beginning, following) in [
            (b"AAAAAAA", b"AAAABAA"),
            (b"zyxw-_-", b"zyxw__-"),
            (b"zyxw__9", b"zyxwAA-"),
            (b"AAAA___", b"AAAAAAA"),
        ] {
            assert_eq!(next(*beginning), *following);
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
