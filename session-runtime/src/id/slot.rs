//! The cluster slot of a key.

/// A key in the store.
pub(crate) trait StoredKey {
    /// Returns the part of the key that decides on a cluster's slot ([Redis Cluster specification,
    /// "Hash tags"]): the text in the braces, or the whole key without braces.
    ///
    /// [Redis Cluster specification, "Hash tags"]: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
    fn hash_tag(&self) -> &str;
}

/// The number of slots of a cluster.
pub(crate) const SLOTS: usize = 16384;

/// Returns the slot of a key.
pub(crate) fn slot_of(key: &impl StoredKey) -> u16 {
    slot_of_tag(key.hash_tag().as_bytes())
}

/// Returns the part of a key that decides on the slot.
#[cfg(feature = "redis")]
pub(crate) fn tag_in(key: &str) -> &str {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    tag.map(|(tag, _)| tag).filter(|tag| !tag.is_empty()).unwrap_or(key)
}

/// Returns the slot of a key with this tag in braces.
pub(crate) fn slot_of_tag(tag: &[u8]) -> u16 {
    crc16(tag) % 16384
}

/// The slots of all tags with the same beginning.
#[cfg(feature = "redis-session-compat")]
pub(crate) struct SlotsOfTags {
    crc: u16,
}

#[cfg(feature = "redis-session-compat")]
impl SlotsOfTags {
    pub(crate) fn new(beginning: &[u8]) -> Self {
        Self { crc: crc16(beginning) }
    }

    /// Returns the slot of the beginning and this last character.
    pub(crate) fn slot_with(&self, last: u8) -> u16 {
        crc16_with(self.crc, last) % 16384
    }
}

/// CRC-16/XMODEM, from the appendix of the specification. Eight bytes are not worth a table or a
/// crate.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| crc16_with(crc, *byte))
}

fn crc16_with(crc: u16, byte: u8) -> u16 {
    (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
        if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{IndexKey, SessionId, SessionKey};

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn a_session_is_in_its_tags_slot() {
        // The reply of Redis 7.0 to `CLUSTER KEYSLOT AAAAAAAA`.
        for (tag, slot) in [("AAAAAAAA", 5290), ("zyxw_-09", 15356)] {
            let id = SessionId::parse(&format!("{tag}{:A<32}", "")).unwrap();
            let key = SessionKey::new("app", &id);
            assert_eq!((slot_of(&key), tag_in(key.expose_secret())), (slot, tag));
        }
    }

    #[test]
    fn a_list_is_in_the_slot_of_its_whole_key() {
        // The reply of Redis 8.2 to `CLUSTER KEYSLOT app:sessions:by:2-xPorlu_EqeiAgT3dSf-g`.
        assert_eq!(slot_of(&IndexKey::new("app", "user", b"42")), 6033);
    }
}
