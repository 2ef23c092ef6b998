//! The types of `time`.

use bytes::Bytes;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

use super::{FieldValue, one_text};
use crate::error::InvalidValue;

impl FieldValue for OffsetDateTime {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        let text = std::str::from_utf8(&stored).ok();
        let time = text.and_then(|text| Self::parse(text, &Rfc3339).ok());
        time.ok_or_else(|| InvalidValue::new("not a time in RFC 3339"))
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        let no_such_text = |_| {
            InvalidValue::new(
                "RFC 3339 allows only years of four digits, and offsets in whole minutes",
            )
        };
        self.format(&Rfc3339).map(Bytes::from).map_err(no_such_text)
    }
}

impl FieldValue for Date {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        let text = std::str::from_utf8(&stored).ok();
        let date = text.and_then(|text| Self::parse(text, &Iso8601::DATE).ok());
        one_text(date.ok_or_else(|| InvalidValue::new("not a date"))?, &stored, "not a date")
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        let no_such_text =
            |_| InvalidValue::new("only dates with a year of four digits can be stored");
        self.format(&Iso8601::DATE).map(Bytes::from).map_err(no_such_text)
    }
}
