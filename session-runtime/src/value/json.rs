//! Fields stored as JSON text.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::InvalidValue;

/// Reads JSON text, Python's `json.dumps` with its spaces and `\u` escapes too. A stored `null` is `T`'s, if it has one.
pub(crate) fn decode<T: DeserializeOwned>(stored: Bytes) -> Result<T, InvalidValue> {
    serde_json::from_slice(&stored).map_err(|error| unreadable(&error))
}

pub(crate) fn decode_some<T: DeserializeOwned>(stored: Bytes) -> Result<Option<T>, InvalidValue> {
    decode(stored).map(Some)
}

pub(crate) fn encode_some<T: Serialize>(value: &T) -> Result<Option<Bytes>, InvalidValue> {
    match serde_json::to_vec(value) {
        Ok(text) => Ok(Some(text.into())),
        Err(_) => Err(InvalidValue::new("JSON cannot hold this value")),
    }
}

pub(crate) fn encode_option<T: Serialize>(value: &Option<T>) -> Result<Option<Bytes>, InvalidValue> {
    value.as_ref().map_or(Ok(None), encode_some)
}

/// Category and position alone: serde_json's messages quote the value, so its error is not even kept as a source.
fn unreadable(error: &serde_json::Error) -> InvalidValue {
    use serde_json::error::Category;

    let category = match error.classify() {
        Category::Syntax | Category::Io => "not JSON",
        Category::Eof => "JSON that ends too early",
        Category::Data => "JSON of another shape",
    };
    InvalidValue::new(format!("{category}, at line {} column {}", error.line(), error.column()))
}
