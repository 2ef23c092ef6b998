//! Text: UTF-8 as it is.

use bytes::Bytes;

use super::{FieldValue, InvalidValue};

impl FieldValue for String {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        Self::from_utf8(stored.into()).map_err(|_| InvalidValue::new("not UTF-8"))
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(Bytes::copy_from_slice(self.as_bytes()))
    }
}
