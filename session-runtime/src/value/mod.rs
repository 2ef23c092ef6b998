//! How Rust values become the bytes of one hash field, and back.

mod default;
mod increment;
mod into_field;
pub(crate) mod json;
mod number;
mod stored;
#[cfg(test)]
mod tests;
mod text;

pub use default::FieldDefault;
pub use increment::Increment;
pub use into_field::IntoField;
pub use stored::Stored;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

/// A type that can be the value of one session field.
///
/// The Python package `redis_session` reads what is stored, and what it stores (`str(value)`) is read, so that both can share a session:
///
/// | type | stored as | read |
/// | --- | --- | --- |
/// | `u8` … `u128`, `i8` … `i128`, `usize`, `isize` | decimal text: `0`, `42`, `-7` | this text alone, as Redis's `HINCRBY` does: no `+`, leading zeros, `-0`, spaces or `1_000` |
/// | `f32`, `f64` | decimal text that reads back as exactly the same number: `3`, `0.1`; `inf`, `-inf`, `nan` | also exponents and a trailing `.0`, as in Python's `3.0` and `1e+16` |
/// | `bool` | `True`, `False` | also `true`, `1`, `false`, `0` |
/// | `String`, `Cow<'static, str>` | UTF-8, without quotes | any UTF-8 |
/// | `Vec<u8>`, [`Bytes`] | as it is | anything |
/// | `char` | UTF-8 | exactly one character |
/// | `NonZero<…>` of every integer | as the integer | as the integer, but `0` |
/// | `IpAddr`, `Ipv4Addr`, `Ipv6Addr` | their text: `127.0.0.1`, `::1` | what their `FromStr` reads |
///
/// Anything else is [`Error::is_decode`](crate::Error::is_decode), also a number that the type cannot hold (`300` as a `u8`, `1e39` as an
/// `f32`): it never wraps, saturates or turns into a default. Infinities and NaN come back as such (NaN without its sign and payload), but
/// Redis's `HINCRBYFLOAT` does not count on from them.
///
/// A field may also be an `Option` of such a type: `None` is a field that is not there. `char`, `NonZero` and addresses have no obvious
/// default: declare such a field as an `Option`, or with `#[session(default = …)]`. For any other type that `serde` knows,
/// `#[session(json)]` stores it as JSON and this trait is not needed.
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
    note = "or derive or implement `session_runtime::FieldValue` for it"
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
pub struct InvalidValue(Cow<'static, str>);

impl InvalidValue {
    /// An error with a reason, such as `"a theme is light or dark"`. The reason ends up in logs: keep the value out of it.
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
