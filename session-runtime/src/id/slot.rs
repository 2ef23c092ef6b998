//! Which of a cluster's slots a session is in.

use super::SessionKey;

/// How many slots a cluster has.
pub(crate) const SLOTS: usize = 16384;

/// The slot of a session's key: that of what stands in its braces, the session's tag, or without
/// any that of all of it ([Redis Cluster specification, "Hash tags"]).
///
/// [Redis Cluster specification, "Hash tags"]: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
pub(crate) fn slot_of(key: &SessionKey) -> u16 {
    slot_of_tag(key.hash_tag().as_bytes())
}

/// The slot of a key with this in its braces.
pub(crate) fn slot_of_tag(tag: &[u8]) -> u16 {
    crc16(tag) % 16384
}

/// CRC-16/XMODEM, as the specification's appendix has it. Eight bytes are not worth a table, nor a
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
        // As `CLUSTER KEYSLOT AAAAAAAA` says on Redis 7.0.
        for (tag, slot) in [("AAAAAAAA", 5290), ("zyxw_-09", 15356)] {
            let id = SessionId::parse(&format!("{tag}{:A<32}", "")).unwrap();
            assert_eq!(slot_of(&SessionKey::new("app", &id)), slot);
        }
    }
}
