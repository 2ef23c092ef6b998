//! The place of an encrypted value.

/// The place of an encrypted value, to which the value is bound.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "encryption"), allow(dead_code, reason = "nothing is encrypted"))]
pub(crate) struct Place<'a> {
    /// The part of a session's id that stays for life.
    pub(crate) identity: &'a [u8; 8],
    /// The stored name of the field.
    pub(crate) field: &'a str,
}
