//! How Rust values become the bytes of one hash field, and back.

#[cfg(feature = "chrono")]
mod chrono;
mod default;
mod field_spec;
mod into_field;
#[cfg(feature = "jiff")]
mod jiff;
pub(crate) mod json;
mod number;
mod seconds;
mod stored;
#[cfg(test)]
mod tests;
mod text;
#[cfg(feature = "time")]
mod time;

pub use default::FieldDefault;
pub use field_spec::FieldSpec;
pub use into_field::IntoField;
pub use stored::Stored;

use bytes::Bytes;

use crate::error::InvalidValue;

/// A type that can be the value of one session field.
///
/// The Python package `redis_session` reads what is stored, and what it stores (`str(value)`) is
/// read, so that both can share a session:
///
/// | type | stored as | read |
/// | --- | --- | --- |
/// | `u8` … `u128`, `i8` … `i128`, `usize`, `isize` | decimal text: `0`, `42`, `-7` | this text alone, as Redis's `HINCRBY` does: no `+`, leading zeros, `-0`, spaces or `1_000` |
/// | `f32`, `f64` | decimal text that reads back as exactly the same number: `3`, `0.1`; `inf`, `-inf`, `nan` | also exponents and a trailing `.0`, as in Python's `3.0` and `1e+16`; up to 1,077 bytes, the longest exact text of an `f64` |
/// | `bool` | `True`, `False` | also `true`, `1`, `false`, `0` |
/// | `String`, `Cow<'static, str>` | UTF-8, without quotes | any UTF-8 |
/// | `Vec<u8>`, [`Bytes`] | as it is | anything |
/// | `char` | UTF-8 | exactly one character |
/// | `NonZero<…>` of every integer | as the integer | as the integer, but `0` |
/// | `IpAddr`, `Ipv4Addr`, `Ipv6Addr` | their text: `127.0.0.1`, `::1` | what their `FromStr` reads |
/// | `SocketAddr`, `SocketAddrV4`, `SocketAddrV6` | their text: `127.0.0.1:80`, `[::1]:80`; a flow label, which it lacks, is [`Error::is_encode`](crate::Error::is_encode) | what their `FromStr` reads |
/// | `Duration` | seconds, up to nine decimals: `90`, `0.001` | also more decimals, which are cut off, and Python's `90.0`; no exponent |
/// | `SystemTime` | seconds since 1970 in UTC, as a `Duration`; before it with a `-` | likewise: Python's `time.time()` |
/// | feature `uuid`: `uuid::Uuid` | `67e55044-10b1-426f-9247-bb680e5fe0c8` | what its `FromStr` reads |
/// | feature `time`: `time::OffsetDateTime` | RFC 3339 with its offset: `2026-11-23T16:00:00.5+01:00` | RFC 3339 |
/// | feature `chrono`: `chrono::DateTime<Utc>` | RFC 3339 in UTC: `2026-11-23T15:00:00.500Z` | RFC 3339 with any offset |
/// | feature `jiff`: `jiff::Timestamp` | RFC 3339 in UTC: `2026-11-23T15:00:00.5Z` | what its `FromStr` reads |
/// | `time::Date`, `chrono::NaiveDate`, `jiff::civil::Date` | ISO 8601: `2026-11-23` | this text alone |
///
/// Anything else is [`Error::is_decode`](crate::Error::is_decode), also a number that the type
/// cannot hold (`300` as a `u8`, `1e39` as an `f32`): it never wraps, saturates or turns into a
/// default. Infinities and NaN come back as such (NaN without its sign and payload), but
/// Redis's `HINCRBYFLOAT` does not count on from them.
///
/// A field may also be an `Option` of such a type: `None` is a field that is not there. `char`,
/// `NonZero`, addresses, dates and such have no obvious default: declare such a field as an
/// `Option`, or with `#[session(default = …)]`. For any other type that `serde` knows,
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
    note = "annotate the field with `#[session(json)]` to store any type that implements serde's \
            `Serialize` and `Deserialize` as JSON",
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

/// Of values that have exactly one text: the value, if this is it.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn one_text<T: FieldValue>(
    value: T,
    stored: &[u8],
    reason: &'static str,
) -> Result<T, InvalidValue> {
    let written = value.encode().is_ok_and(|text| text == stored);
    if written { Ok(value) } else { Err(InvalidValue::new(reason)) }
}
