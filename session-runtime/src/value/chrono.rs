//! The types of `chrono`.

use bytes::Bytes;
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};

use super::text::from_text;
use super::{FieldValue, one_text};
use crate::error::InvalidValue;

impl FieldValue for DateTime<Utc> {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        let text = std::str::from_utf8(&stored).ok();
        let time = text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        time.map(|time| time.to_utc()).ok_or_else(|| InvalidValue::new("not a time in RFC 3339"))
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        if !(0..=9999).contains(&self.year()) {
            return Err(InvalidValue::new("RFC 3339 allows only years of four digits"));
        }
        Ok(self.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
    }
}

impl FieldValue for NaiveDate {
    fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
        one_text(from_text(&stored, "not a date")?, &stored, "not a date")
    }

    fn encode(&self) -> Result<Bytes, InvalidValue> {
        Ok(self.to_string().into())
    }
}
