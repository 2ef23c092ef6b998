//! Fields stored as JSON text.

mod readable;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::readable::Readable;
use crate::error::InvalidValue;

/// Reads JSON text, Python's `json.dumps` with its spaces and `\u` escapes too. A stored `null` is
/// `T`'s, if it has one.
pub(crate) fn decode<T: DeserializeOwned>(stored: Bytes) -> Result<T, InvalidValue> {
    serde_json::from_slice(&stored).map_err(|error| unreadable(&error))
}

/// A stored `null` is `None`, as serde has it, unless it is a `T`.
pub(crate) fn decode_option<T: DeserializeOwned>(stored: Bytes) -> Result<Option<T>, InvalidValue> {
    let is_null = || stored.trim_ascii() == b"null";
    match serde_json::from_slice(&stored) {
        Ok(value) => Ok(Some(value)),
        Err(_) if is_null() => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Refuses floats that are not finite, keys that are no text, and values too deep to be read again.
pub(crate) fn encode_some<T: Serialize>(value: &T) -> Result<Option<Bytes>, InvalidValue> {
    match serde_json::to_vec(&Readable::new(value)) {
        Ok(text) => Ok(Some(text.into())),
        // Its message may quote the value.
        Err(_) => Err(InvalidValue::new(UNWRITABLE)),
    }
}

const UNWRITABLE: &str = "JSON cannot hold this value: a float that is not finite, a key that is \
                          no text, or more than 127 lists and maps within each other";

pub(crate) fn encode_option<T: Serialize>(
    value: &Option<T>,
) -> Result<Option<Bytes>, InvalidValue> {
    value.as_ref().map_or(Ok(None), encode_some)
}

/// Category and position alone: serde_json's messages quote the value, so its error is not even
/// kept as a source.
fn unreadable(error: &serde_json::Error) -> InvalidValue {
    use serde_json::error::Category;

    let category = match error.classify() {
        Category::Syntax | Category::Io => "not JSON",
        Category::Eof => "JSON that ends too early",
        Category::Data => "JSON of another shape",
    };
    InvalidValue::new(format!("{category}, at line {} column {}", error.line(), error.column()))
}
