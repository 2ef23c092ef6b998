//! Fields stored as JSON text.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::InvalidValue;

pub(crate) fn decode<T: DeserializeOwned>(stored: Bytes) -> Result<T, InvalidValue> {
    serde_json::from_slice(&stored).map_err(|error| invalid(&error))
}

pub(crate) fn decode_some<T: DeserializeOwned>(stored: Bytes) -> Result<Option<T>, InvalidValue> {
    decode(stored).map(Some)
}

pub(crate) fn encode_some<T: Serialize>(value: &T) -> Result<Option<Bytes>, InvalidValue> {
    match serde_json::to_vec(value) {
        Ok(text) => Ok(Some(text.into())),
        Err(error) => Err(invalid(&error)),
    }
}

pub(crate) fn encode_option<T: Serialize>(value: &Option<T>) -> Result<Option<Bytes>, InvalidValue> {
    value.as_ref().map_or(Ok(None), encode_some)
}

/// Category and position alone: serde_json's messages quote the value.
fn invalid(error: &serde_json::Error) -> InvalidValue {
    use serde_json::error::Category;

    let category = match error.classify() {
        Category::Io => "input/output",
        Category::Syntax => "syntax",
        Category::Data => "data",
        Category::Eof => "unexpected end",
    };
    InvalidValue::new(format!("JSON {category} error at line {} column {}", error.line(), error.column()))
}
