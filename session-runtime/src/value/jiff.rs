//! The types of `jiff`.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;

use super::text::from_text;
use super::{FieldValue, one_text};
use crate::error::InvalidValue;

impl FieldValue for Timestamp {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        from_text(&stored, "not a time in RFC 3339")
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(self.to_string().into())
    }
}

impl FieldValue for Date {
    /// Reads a date alone. `FromStr` also accepts a time after the date, which would be lost.
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        one_text(from_text(&stored, "not a date")?, &stored, "not a date")
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(self.to_string().into())
    }
}
