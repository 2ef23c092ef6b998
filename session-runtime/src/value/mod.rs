//! How Rust values become the bytes of one hash field, and back.

mod default;
mod into_field;
pub(crate) mod json;
mod number;
mod stored;
mod text;

pub use default::FieldDefault;
pub use into_field::IntoField;
pub use stored::Stored;

use std::fmt;

use bytes::Bytes;

/// A type that can be the value of one session field.
///
/// Implemented for the integers, `f32`, `f64`, `bool`, `String`, `Cow<str>`, `Vec<u8>`, [`Bytes`] and the
/// types listed at the end of this page. A field may also be an `Option` of such a type: `None` is a field that is not there.
/// For any other type that `serde` knows, `#[session(json)]` stores it as JSON and this trait is not needed.
///
/// # Examples
///
/// ```
/// use session_runtime::{Bytes, FieldValue, InvalidValue};
///
/// #[derive(Debug, PartialEq)]
/// enum Theme { Light, Dark }
///
/// impl FieldValue for Theme {
///     fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
///         match &stored[..] {
///             b"light" => Ok(Self::Light),
///             b"dark" => Ok(Self::Dark),
///             _ => Err(InvalidValue::new("a theme is `light` or `dark`")),
///         }
///     }
///
///     fn encode(&self) -> Result<Bytes, InvalidValue> {
///         Ok(Bytes::from_static(match self {
///             Self::Light => b"light",
///             Self::Dark => b"dark",
///         }))
///     }
/// }
///
/// assert_eq!(Theme::decode(Theme::Dark.encode()?)?, Theme::Dark);
/// # Ok::<(), InvalidValue>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as a session field",
    label = "not a type that one session field can hold",
    note = "annotate the field with `#[session(json)]` to store any type that implements serde's `Serialize` and `Deserialize` as JSON",
    note = "or implement `session_runtime::FieldValue` for it"
)]
pub trait FieldValue: Sized + 'static {
    /// Reads a stored value.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if these bytes are not one of this type's values. It must not quote them.
    fn decode(stored: Bytes) -> Result<Self, InvalidValue>;

    /// Writes a value. [`decode`](Self::decode) gives back an equal one.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if this value has no stored form.
    fn encode(&self) -> Result<Bytes, InvalidValue>;
}

/// Why bytes are not a value of a type, or why a value cannot be stored. Holds a reason, never the value.
#[derive(Clone, PartialEq, Eq)]
pub struct InvalidValue(String);

impl InvalidValue {
    /// An error with a reason, such as `"a theme is light or dark"`. The reason ends up in logs: keep the value out of it.
    pub fn new(reason: impl Into<String>) -> Self {
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
