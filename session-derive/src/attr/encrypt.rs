//! Parses `encrypt` and `encrypt(…)`.

use proc_macro2::Span;

use super::entries::{Entries, Entry};
use super::keys;

/// The attribute `encrypt` of a field.
pub(crate) struct EncryptAttr {
    /// Span of the key.
    pub(crate) span: Span,
    /// Values from before the field was encrypted can be read.
    pub(crate) accept_plain: bool,
    /// Values are written in plain text, and both forms can be read.
    pub(crate) write_plain: bool,
    /// Number of bytes of which the padded value is a multiple.
    pub(crate) block: u16,
}

impl EncryptAttr {
    pub(super) fn read(entries: &Entries) -> Option<Self> {
        let Entry { span, arguments, .. } = entries.find(&keys::ENCRYPT)?;
        Some(Self {
            span: *span,
            accept_plain: arguments.find(&keys::ACCEPT_PLAIN).is_some(),
            write_plain: arguments.find(&keys::WRITE_PLAIN).is_some(),
            block: arguments.find(&keys::PAD).and_then(Entry::as_integer).unwrap_or(1),
        })
    }
}
