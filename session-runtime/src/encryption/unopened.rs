//! The reasons for which a stored value does not open.

/// The reason for which a stored value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "encryption"), allow(dead_code, reason = "nothing is encrypted"))]
pub(crate) enum Unopened {
    /// The value is not encrypted.
    Plain,
    UnknownKey,
    /// Another value, another place, or a part of a value.
    Altered,
}

impl Unopened {
    /// Returns the reason for messages.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Plain => "it is plain text, which only `encrypt(accept_plain)` reads",
            Self::UnknownKey => "it was encrypted with a key that is not configured",
            Self::Altered => "it was altered, or moved from another field or session",
        }
    }
}
