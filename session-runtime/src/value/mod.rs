//! The conversion of Rust values to the bytes of a hash field, and back.

#[cfg(feature = "chrono")]
mod chrono;
mod default;
mod field_spec;
mod index_value;
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
pub use index_value::IndexValue;
pub use into_field::IntoField;
pub use stored::Stored;

use bytes::Bytes;

use crate::error::InvalidValue;

/// A type that can be the value of a session field.
///
/// The Python package `redis_session` can read the stored values. Values that the package stores
/// (`str(value)`) can be read here, so both can share a session.
///
/// | type | stored as | read |
/// | --- | --- | --- |
/// | `u8` … `u128`, `i8` … `i128`, `usize`, `isize` | decimal text: `0`, `42`, `-7` | only this text |
/// | `f32`, `f64` | decimal text: `3`, `0.1`, `inf`, `-inf`, `nan` | also exponents and a trailing `.0` |
/// | `bool` | `True`, `False` | also `true`, `1`, `false`, `0` |
/// | `String`, `Cow<'static, str>` | UTF-8, without quotes | any UTF-8 |
/// | `Vec<u8>`, [`Bytes`] | the bytes | any bytes |
/// | `char` | UTF-8 | exactly one character |
/// | `NonZero<…>` of every integer | the integer | the integer, except `0` |
/// | `IpAddr`, `Ipv4Addr`, `Ipv6Addr` | text: `127.0.0.1`, `::1` | any text that `FromStr` reads |
/// | `SocketAddr`, `SocketAddrV4`, `SocketAddrV6` | text: `127.0.0.1:80`, `[::1]:80` | any text that `FromStr` reads |
/// | `Duration` | seconds, up to nine decimals: `90`, `0.001` | also more decimals, and `90.0` |
/// | `SystemTime` | seconds since 1970 in UTC, like a `Duration` | also more decimals |
/// | feature `uuid`: `uuid::Uuid` | `67e55044-10b1-426f-9247-bb680e5fe0c8` | any text that `FromStr` reads |
/// | feature `time`: `time::OffsetDateTime` | RFC 3339 with the offset: `2026-11-23T16:00:00.5+01:00` | RFC 3339 |
/// | feature `chrono`: `chrono::DateTime<Utc>` | RFC 3339 in UTC: `2026-11-23T15:00:00.500Z` | RFC 3339 with any offset |
/// | feature `jiff`: `jiff::Timestamp` | RFC 3339 in UTC: `2026-11-23T15:00:00.5Z` | any text that `FromStr` reads |
/// | `time::Date`, `chrono::NaiveDate`, `jiff::civil::Date` | ISO 8601: `2026-11-23` | only this text |
///
/// - Integers are read as by `HINCRBY` of Redis: no `+`, leading zeros, `-0`, spaces or `1_000`.
/// - The text of a float reads back as exactly the same number. Python's `3.0` and `1e+16` are read
///   too. The text may have up to 1,077 bytes, the longest exact text of an `f64`.
/// - Infinities and NaN come back (NaN without its sign and payload), but `HINCRBYFLOAT` of Redis
///   cannot add to them.
/// - The text of a `SocketAddrV6` has no flow label. An address with a flow label fails with
///   [`Error::is_encode`](crate::Error::is_encode).
/// - Decimals of a `Duration` or `SystemTime` after the ninth are cut off, and exponents are not
///   read. Python's `time.time()` is read as a `SystemTime`. Times before 1970 begin with `-`.
///
/// Any other text fails with [`Error::is_decode`](crate::Error::is_decode). So does a number that
/// the type cannot hold (`300` as a `u8`, `1e39` as an `f32`). Numbers never wrap, saturate or turn
/// into a default.
///
/// A field may also be an `Option` of such a type. `None` means a missing field. `char`, `NonZero`,
/// addresses, dates and similar types have no obvious default. Declare such a field as an `Option`,
/// or with `#[session(default = …)]`.
///
/// For any other type that implements `Serialize` and `Deserialize`, `#[session(json)]` stores
/// JSON, and this trait is not needed.
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
#[doc(alias = "serialize")]
#[doc(alias = "types")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as a session field",
    label = "not a type that a session field can hold",
    note = "annotate the field with `#[session(json)]` to store any type that implements serde's \
            `Serialize` and `Deserialize` as JSON",
    note = "or derive or implement `session_runtime::FieldValue` for the type"
)]
pub trait FieldValue: Sized + 'static {
    /// Reads a stored value.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if these bytes are not a value of this type. The reason must not quote the
    /// bytes.
    fn decode(stored: Bytes) -> Result<Self, InvalidValue>;

    /// Writes a value. [`decode`](Self::decode) returns an equal value from the result.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if this value has no stored form.
    fn encode(&self) -> Result<Bytes, InvalidValue>;
}

/// Returns the value if the stored bytes are its only text.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn one_text<T: FieldValue>(
    value: T,
    stored: &[u8],
    reason: &'static str,
) -> Result<T, InvalidValue> {
    let written = value.encode().is_ok_and(|text| text == stored);
    if written { Ok(value) } else { Err(InvalidValue::new(reason)) }
}
