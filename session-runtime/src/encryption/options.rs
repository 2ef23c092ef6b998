//! The options of an encrypted field.

use super::padding::padded_len;
use super::sealed::sealed_len;

/// The encryption of a field, for [`FieldSpec::encrypted`](crate::field::FieldSpec::encrypted).
///
/// # Examples
///
/// ```
/// use session_runtime::field::{Encryption, FieldSpec};
///
/// static EMAIL: FieldSpec<Option<String>> =
///     FieldSpec::value("email").encrypted(Encryption::new().pad(64).accept_plain());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encryption {
    block: u16,
    accepts_plain: bool,
    writes_plain: bool,
}

impl Encryption {
    /// Creates the default: the length of the value is told, and plain text is refused.
    #[allow(clippy::new_without_default, reason = "a constant, made by the derive")]
    pub const fn new() -> Self {
        Self { block: 1, accepts_plain: false, writes_plain: false }
    }

    /// Pads values to a multiple of this many bytes, so that the stored length tells less. The
    /// value takes at least one byte more than its own length. Zero counts as one.
    pub const fn pad(mut self, block: u16) -> Self {
        self.block = if block == 0 { 1 } else { block };
        self
    }

    /// Reads values from before the field was encrypted. The next write encrypts them.
    ///
    /// Bytes that begin with `0xF5` or `0xF6` count as encrypted. Text and numbers never begin with
    /// these bytes.
    pub const fn accept_plain(mut self) -> Self {
        self.accepts_plain = true;
        self
    }

    /// Writes plain text, and reads both encrypted values and plain text. With this step before the
    /// encryption, all machines can read encrypted values before one machine writes them.
    pub const fn write_plain(mut self) -> Self {
        self.writes_plain = true;
        self.accept_plain()
    }

    /// Returns the number of bytes of which the padded value is a multiple.
    pub(crate) fn block(self) -> usize {
        self.block.into()
    }

    /// Returns the length of a new value in the store.
    pub(crate) fn sealed_len(self, len: usize, has_index: bool) -> usize {
        if self.writes_plain {
            return len;
        }
        sealed_len(padded_len(len, self.block()), has_index)
    }

    pub(crate) fn accepts_plain(self) -> bool {
        self.accepts_plain
    }

    pub(crate) fn writes_plain(self) -> bool {
        self.writes_plain
    }
}
