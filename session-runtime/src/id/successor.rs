//! Ids of successors in the cluster slot of a session that Python created.

use std::iter;
use std::time::SystemTime;

use super::slot::{slot_of, slot_of_tag};
use super::{LifetimeId, SessionId, SessionKey};
use crate::error::Error;

/// Generates a native id whose session is in the same cluster slot as this key, so that a script
/// can rename the key.
pub(crate) fn generate_in_slot_of(
    key: &SessionKey,
    created_at: SystemTime,
    lifetime: LifetimeId,
) -> Result<SessionId, Error> {
    let (slot, generated) = (slot_of(key), SessionId::generate(created_at, lifetime)?);
    let mut tag = [0; SessionId::TAG_LEN];
    tag.copy_from_slice(generated.tag().as_bytes());
    // On average, every 16,384th tag is in the slot.
    let tag = iter::successors(Some(tag), |tag| Some(next(*tag)))
        .take(TAGS)
        .find(|tag| slot_of_tag(tag) == slot);
    Ok(tag.map_or(generated, |tag| generated.with_tag(&tag)))
}

/// Returns the next tag with the same beginning. The first tag follows the last.
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

/// The number of tags with the same beginning.
const TAGS: usize = 1 << (6 * (SessionId::TAG_LEN - SEARCHED));

/// The position from which the search changes characters. The characters before are random.
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
        let successor = generate_in_slot_of(&key, time_of(NOW), LifetimeId::new(1)).unwrap();
        assert_eq!(slot_of(&SessionKey::new("redis", &successor)), slot_of(&key));
        assert_eq!(successor.created_at_and_lifetime(), (time_of(NOW), LifetimeId::new(1)));
        assert_ne!(generate_in_slot_of(&key, time_of(NOW), LifetimeId::new(1)).unwrap(), successor);
    }
}
