//! Fields that pages for administrators show.

use std::any::Any;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::record::Values;
use crate::value::FieldSpec;

/// A field with `#[session(show)]`, whatever its type. Do not implement this trait by hand.
pub trait ShownField: Sync {
    /// Returns the stored name.
    fn name(&self) -> &'static str;

    /// Returns the former name.
    fn alias(&self) -> Option<&'static str>;

    /// Returns the name of the index, if the field has any.
    fn index(&self) -> Option<&'static str>;

    /// Returns whether the store has the value encrypted.
    fn is_encrypted(&self) -> bool;

    /// Takes the value of the field.
    fn take(&self, values: &mut Values<'_>) -> ShownValue;
}

/// A value to show. No `Debug`, which would show it in logs.
#[allow(missing_debug_implementations, reason = "stored values stay out of logs")]
#[derive(PartialEq, Eq)]
pub enum ShownValue {
    /// The field is missing, or `None`.
    Missing,
    /// The stored text.
    Text(String),
    /// This many bytes that are no text.
    Bytes(usize),
    /// A time.
    Time(SystemTime),
    /// A period of time.
    Duration(Duration),
    /// The stored value does not fit the type.
    Invalid,
    /// The stored value cannot be decrypted.
    Sealed,
}

impl<T: 'static> ShownField for FieldSpec<T> {
    fn name(&self) -> &'static str {
        self.name()
    }

    fn alias(&self) -> Option<&'static str> {
        self.alias()
    }

    fn index(&self) -> Option<&'static str> {
        self.index()
    }

    fn is_encrypted(&self) -> bool {
        self.encryption().is_some()
    }

    fn take(&self, values: &mut Values<'_>) -> ShownValue {
        let stored = match values.take_plain(self) {
            Ok(Some(stored)) => stored,
            Ok(None) => return ShownValue::Missing,
            Err(_) => return ShownValue::Sealed,
        };
        match self.decode(stored.clone()) {
            Ok(value) if matches!(self.write(&value), Ok(None)) => ShownValue::Missing,
            Ok(value) => time(&value).unwrap_or_else(|| text(&stored)),
            Err(_) => ShownValue::Invalid,
        }
    }
}

/// Returns a time or a period. Their stored text is a number.
fn time(value: &dyn Any) -> Option<ShownValue> {
    if let Some(time) = inner::<SystemTime>(value) {
        return Some(ShownValue::Time(*time));
    }
    inner::<Duration>(value).map(|period| ShownValue::Duration(*period))
}

/// Returns the value if it is a `T`, or an `Option` of one.
fn inner<T: 'static>(value: &dyn Any) -> Option<&T> {
    value.downcast_ref().or_else(|| value.downcast_ref::<Option<T>>()?.as_ref())
}

fn text(stored: &Bytes) -> ShownValue {
    match str::from_utf8(stored) {
        Ok(text) => ShownValue::Text(text.to_owned()),
        Err(_) => ShownValue::Bytes(stored.len()),
    }
}
