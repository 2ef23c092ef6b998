//! Fields stored as JSON text.

mod readable;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::readable::Readable;
use crate::error::InvalidValue;

/// Reads JSON text, including the spaces and `\u` escapes of Python's `json.dumps`. A stored `null`
/// is read as a `T`, if `T` has such a value.
pub(crate) fn decode<T: DeserializeOwned>(stored: Bytes) -> Result<T, InvalidValue> {
    serde_json::from_slice(&stored).map_err(|error| unreadable(&error))
}

/// Reads JSON text. As in serde, a stored `null` is `None`, unless `null` is a valid `T`.
pub(crate) fn decode_option<T: DeserializeOwned>(stored: Bytes) -> Result<Option<T>, InvalidValue> {
    let is_null = || stored.trim_ascii() == b"null";
    match serde_json::from_slice(&stored) {
        Ok(value) => Ok(Some(value)),
        Err(_) if is_null() => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Writes JSON text. Refuses floats that are not finite, keys that are not text, and values nested
/// too deeply to be read again.
pub(crate) fn encode_some<T: Serialize>(value: &T) -> Result<Option<Bytes>, InvalidValue> {
    match serde_json::to_vec(&Readable::new(value)) {
        Ok(text) => Ok(Some(text.into())),
        // The message of serde_json may quote the value.
        Err(_) => Err(InvalidValue::new(UNWRITABLE)),
    }
}

const UNWRITABLE: &str = "JSON cannot represent this value: it contains a float that is not \
                          finite, a key that is not text, or more than 127 nested lists and maps";

pub(crate) fn encode_option<T: Serialize>(
    value: &Option<T>,
) -> Result<Option<Bytes>, InvalidValue> {
    value.as_ref().map_or(Ok(None), encode_some)
}

/// Returns only the category and position of the error. Messages of serde_json quote the value, so
/// the error is not even kept as a source.
fn unreadable(error: &serde_json::Error) -> InvalidValue {
    use serde_json::error::Category;

    let category = match error.classify() {
        Category::Syntax | Category::Io => "not JSON",
        Category::Eof => "incomplete JSON",
        Category::Data => "JSON that does not match the type",
    };
    InvalidValue::new(format!("{category}, at line {} column {}", error.line(), error.column()))
}
