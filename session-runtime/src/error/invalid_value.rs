//! The reason why a value and its stored bytes do not fit.

use std::borrow::Cow;
use std::fmt;

/// The reason why bytes are not a value of a type, or why a value cannot be stored. The value
/// itself is not included.
#[derive(Clone, PartialEq, Eq)]
pub struct InvalidValue(Cow<'static, str>);

impl InvalidValue {
    /// Creates an error with a reason, such as `"a theme is light or dark"`. The reason is logged,
    /// so do not include the value.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Debug for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InvalidValue").field(&self.0).finish()
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidValue {}
