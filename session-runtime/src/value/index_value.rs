//! The values that an indexed field can hold.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;

use bytes::Bytes;

use super::FieldValue;

/// A type whose values can be indexed: an indexed field is an `Option` of such a type.
///
/// Equal values must have equal stored bytes. Otherwise
/// [`Sessions::find`](crate::Sessions::find) would miss sessions. Integers, `bool`, `char`, texts,
/// bytes, IP addresses and UUIDs have this property. Floats and JSON do not.
///
/// Implement the trait for your own [`FieldValue`] if its stored form has the property.
///
/// # Examples
///
/// A tenant and a user together:
///
/// ```
/// use session_runtime::field::IndexValue;
/// use session_runtime::{Bytes, FieldValue, InvalidValue};
///
/// #[derive(Debug, PartialEq)]
/// struct Member {
///     tenant: u32,
///     user: u64,
/// }
///
/// impl FieldValue for Member {
///     fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
///         let text = std::str::from_utf8(&stored).map_err(|_| InvalidValue::new("no text"))?;
///         let parts = text.split_once('/').ok_or(InvalidValue::new("no tenant"))?;
///         let (Ok(tenant), Ok(user)) = (parts.0.parse(), parts.1.parse()) else {
///             return Err(InvalidValue::new("no numbers"));
///         };
///         Ok(Self { tenant, user })
///     }
///
///     fn encode(&self) -> Result<Bytes, InvalidValue> {
///         Ok(format!("{}/{}", self.tenant, self.user).into())
///     }
/// }
///
/// impl IndexValue for Member {}
/// ```
#[diagnostic::on_unimplemented(
    message = "a field with values of type `{Self}` cannot be indexed",
    label = "equal values may have different stored bytes",
    note = "index integers, texts, bytes, addresses or UUIDs, in an `Option`",
    note = "or implement `session_runtime::field::IndexValue` for your own type, if equal values \
            always have equal stored bytes"
)]
pub trait IndexValue: FieldValue {}

macro_rules! index_values {
    ($($type:ty),*) => { $(impl IndexValue for $type {})* };
}

index_values!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
index_values!(bool, char, String, Cow<'static, str>, Vec<u8>, Bytes);
index_values!(IpAddr, Ipv4Addr, Ipv6Addr);
index_values!(NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>);
index_values!(NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>);
index_values!(NonZero<usize>, NonZero<isize>);
#[cfg(feature = "uuid")]
index_values!(uuid::Uuid);
