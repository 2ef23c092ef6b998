//! The cluster slot of a session.

use super::SessionKey;

/// The number of slots of a cluster.
pub(crate) const SLOTS: usize = 16384;

/// Returns the slot of a session's key ([Redis Cluster specification, "Hash tags"]).
///
/// The slot depends on the text in the braces, which is the tag of the session. For a key without
/// braces, the slot depends on the whole key.
///
/// [Redis Cluster specification, "Hash tags"]: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
pub(crate) fn slot_of(key: &SessionKey) -> u16 {
    slot_of_tag(key.hash_tag().as_bytes())
}

/// Returns the slot of a key with this tag in braces.
pub(crate) fn slot_of_tag(tag: &[u8]) -> u16 {
    crc16(tag) % 16384
}

/// CRC-16/XMODEM, from the appendix of the specification. Eight bytes are not worth a table or a
/// crate.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn a_session_is_in_its_tags_slot() {
        // The reply of Redis 7.0 to `CLUSTER KEYSLOT AAAAAAAA`.
        for (tag, slot) in [("AAAAAAAA", 5290), ("zyxw_-09", 15356)] {
            let id = SessionId::parse(&format!("{tag}{:A<32}", "")).unwrap();
            assert_eq!(slot_of(&SessionKey::new("app", &id)), slot);
        }
    }
}
