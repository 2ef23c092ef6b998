//! The padding of values before their encryption: the byte `0x80`, and zeros (ISO/IEC 7816-4).

/// The byte after the value.
const END: u8 = 0x80;

/// Returns the length of a value with its padding.
pub(super) fn padded_len(len: usize, block: usize) -> usize {
    (len + 1).next_multiple_of(block)
}

/// Appends the padding of a value with this length.
pub(super) fn pad(buffer: &mut Vec<u8>, len: usize, block: usize) {
    buffer.push(END);
    buffer.resize(buffer.len() + padded_len(len, block) - len - 1, 0);
}

/// Returns the length of the value without its padding.
pub(super) fn unpadded_len(padded: &[u8]) -> Option<usize> {
    let end = padded.iter().rposition(|byte| *byte != 0)?;
    (padded[end] == END).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn padded(value: &[u8], block: usize) -> Vec<u8> {
        let mut buffer = value.to_vec();
        pad(&mut buffer, value.len(), block);
        buffer
    }

    #[test]
    fn padding_ends_at_the_next_block() {
        assert_eq!(padded(b"", 1), [END]);
        assert_eq!(padded(b"a", 1), [b'a', END]);
        assert_eq!(padded(b"abc", 4), [b'a', b'b', b'c', END]);
        assert_eq!(padded(b"abcd", 4), [b'a', b'b', b'c', b'd', END, 0, 0, 0]);
        assert_eq!(padded(b"", usize::from(u16::MAX)).len(), 65_535);
    }

    #[test]
    fn only_padding_is_removed() {
        for wrong in [&b""[..], b"\0", b"\0\0\0", b"a", b"a\0\0", b"\x80a\0"] {
            assert_eq!(unpadded_len(wrong), None, "{wrong:?}");
        }
        assert_eq!(unpadded_len(b"\0\x80\x80\0"), Some(2));
    }

    proptest! {
        #[test]
        fn padding_is_whole_blocks_and_comes_off(
            value in vec(prop_oneof![Just(0), Just(END), any::<u8>()], 0..200),
            block in prop_oneof![1..80_usize, 1..=usize::from(u16::MAX)],
        ) {
            let padded = padded(&value, block);
            prop_assert_eq!(padded.len(), padded_len(value.len(), block));
            prop_assert_eq!(padded.len() % block, 0);
            prop_assert!(padded.len() > value.len() && padded.len() <= value.len() + block);
            prop_assert_eq!(unpadded_len(&padded), Some(value.len()));
        }
    }
}
