//! Text, booleans and bytes.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use std::str::FromStr;

use bytes::Bytes;

use super::FieldValue;
use crate::error::InvalidValue;

impl FieldValue for String {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        // Takes over the buffer. The error of the standard library would hold the text, and is
        // dropped.
        Self::from_utf8(stored.into()).map_err(|_| InvalidValue::new("not UTF-8"))
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(Bytes::copy_from_slice(self.as_bytes()))
    }
}

impl FieldValue for Cow<'static, str> {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        String::decode(stored).map(Cow::Owned)
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        match self {
            Cow::Borrowed(text) => Ok(Bytes::from_static(text.as_bytes())),
            Cow::Owned(text) => text.encode(),
        }
    }
}

impl FieldValue for bool {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        match &stored[..] {
            b"True" | b"true" | b"1" => Ok(true),
            b"False" | b"false" | b"0" => Ok(false),
            _ => Err(InvalidValue::new("expected `True`, `true`, `1`, `False`, `false` or `0`")),
        }
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(Bytes::from_static(if *self { b"True" } else { b"False" }))
    }
}

impl FieldValue for Vec<u8> {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        Ok(stored.into())
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(Bytes::copy_from_slice(self))
    }
}

impl FieldValue for Bytes {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        Ok(stored)
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(self.clone())
    }
}

/// Implements the trait for types whose `Display` and `FromStr` are inverse.
macro_rules! as_their_text {
    ($($type:ty: $what:literal),* $(,)?) => {$(
        impl FieldValue for $type {
            fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
                from_text(&stored, concat!("not ", $what))
            }

            fn encode(&self) -> Result<Bytes, InvalidValue> {
                Ok(self.to_string().into())
            }
        }
    )*};
}

as_their_text!(
    char: "exactly one character",
    IpAddr: "an IP address",
    Ipv4Addr: "an IPv4 address",
    Ipv6Addr: "an IPv6 address",
    SocketAddrV4: "an IPv4 address with a port",
);

#[cfg(feature = "uuid")]
as_their_text!(uuid::Uuid: "a UUID");

impl FieldValue for SocketAddrV6 {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        from_text(&stored, "not an IPv6 address with a port")
    }

    /// Refuses an address with a flow label, which the text would lose. Flow labels other than zero
    /// are rare.
    fn encode(&self) -> Result<Bytes, InvalidValue> {
        match self.flowinfo() {
            0 => Ok(self.to_string().into()),
            _ => Err(InvalidValue::new("an address with a flow label cannot be stored")),
        }
    }
}

impl FieldValue for SocketAddr {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        from_text(&stored, "not an IP address with a port")
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        match self {
            Self::V4(address) => address.encode(),
            Self::V6(address) => address.encode(),
        }
    }
}

/// Parses the text with `FromStr`.
pub(super) fn from_text<T: FromStr>(
    stored: &[u8],
    reason: &'static str,
) -> Result<T, InvalidValue> {
    let text = std::str::from_utf8(stored).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| InvalidValue::new(reason))
}
