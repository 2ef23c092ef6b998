//! Numbers: decimal text.

use bytes::Bytes;

use super::{FieldValue, InvalidValue};

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl FieldValue for $type {
            fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
                std::str::from_utf8(&stored).ok().and_then(|text| text.parse().ok()).ok_or_else(|| InvalidValue::new("not an integer of this type"))
            }

            fn encode(&self) -> Result<Bytes, InvalidValue> {
                Ok(Bytes::copy_from_slice(itoa::Buffer::new().format(*self).as_bytes()))
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
