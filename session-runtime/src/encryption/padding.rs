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
