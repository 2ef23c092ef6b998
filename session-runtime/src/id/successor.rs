//! Ids of successors in the cluster slot of a session that Python began.

use std::iter;
use std::time::SystemTime;

use super::slot::{slot_of, slot_of_tag};
use super::{SessionId, SessionKey};
use crate::error::Error;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::python::tests::{NOW, python};
    use crate::id::python::time_of;

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
