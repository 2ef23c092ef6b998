//! Reads parts of servers' replies.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::Value;

/// The cursor at the beginning and at the end of a walk.
pub(crate) const BEGINNING: &str = "0";

/// Returns the text under this key of a map.
pub(crate) fn text_in<'a>(map: &'a Value, key: &str) -> Option<&'a str> {
    let Value::Map(entries) = map else { return None };
    let (_, value) = entries.iter().find(|(name, _)| text(name) == Some(key))?;
    text(value)
}

pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// Returns whether the server lacks the command. There is no error code for this case, only
/// messages: `ERR unknown command 'PTTL', with args …`, `ERR unknown subcommand 'LOAD'. …`.
pub(crate) fn is_unknown_command(reply: &Value) -> bool {
    let Value::ServerError(error) = reply else { return false };
    error.details().is_some_and(|details| details.to_ascii_lowercase().starts_with("unknown "))
}

/// Reads the reply of `SCAN` or `HSCAN`: the next cursor, and a part of the names or fields.
pub(crate) fn scanned(reply: Value) -> Option<(String, Vec<Value>)> {
    let Value::Array(parts) = reply else { return None };
    match <[Value; 2]>::try_from(parts) {
        Ok([cursor, Value::Array(found)]) => Some((text(&cursor)?.to_owned(), found)),
        _ => None,
    }
}

/// Reads the reply of `TIME`: seconds since 1970, and microseconds.
pub(crate) fn time(reply: Value) -> Option<SystemTime> {
    let (seconds, micros) = redis::from_redis_value(reply).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?.checked_add(Duration::from_micros(micros))
}
