//! The stored form of one field.

use std::any::type_name;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FieldDefault, Stored, json};
use crate::error::{Error, InvalidValue, Kind};

/// How one field is stored: its name in the hash, how it is read and written, and what it is when
/// it is missing.
///
/// The derive keeps one for every field. A [`Field`](crate::Field) refers to it.
///
/// # Examples
///
/// ```
/// use session_runtime::field::FieldSpec;
///
/// static COUNT: FieldSpec<u64> = FieldSpec::value_or("n", || 1).with_alias("count");
/// assert_eq!((COUNT.name(), COUNT.alias()), ("n", Some("count")));
/// ```
pub struct FieldSpec<T> {
    name: &'static str,
    alias: Option<&'static str>,
    decode: fn(Bytes) -> Result<T, InvalidValue>,
    encode: fn(&T) -> Result<Option<Bytes>, InvalidValue>,
    default: fn() -> T,
    /// Whether a stored value that cannot be decoded is as good as none.
    lenient: bool,
    ttl: Option<Duration>,
}

impl<T> FieldSpec<T> {
    /// A field whose type says how it is stored, and with that type's own default.
    pub const fn value(name: &'static str) -> Self
    where
        T: Stored + FieldDefault,
    {
        Self::value_or(name, T::field_default)
    }

    /// A field whose type says how it is stored, and with this default.
    pub const fn value_or(name: &'static str, default: fn() -> T) -> Self
    where
        T: Stored,
    {
        Self::new(name, T::decode_stored, T::encode_stored, default)
    }

    /// A field stored as JSON.
    pub const fn json(name: &'static str) -> Self
    where
        T: Serialize + DeserializeOwned + Default,
    {
        Self::json_or(name, T::default)
    }

    /// A field stored as JSON, with this default.
    pub const fn json_or(name: &'static str, default: fn() -> T) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        Self::new(name, json::decode, json::encode_some, default)
    }

    /// A field that is stored as these functions have it, and with this default. `None` removes the
    /// field.
    pub const fn new(
        name: &'static str,
        decode: fn(Bytes) -> Result<T, InvalidValue>,
        encode: fn(&T) -> Result<Option<Bytes>, InvalidValue>,
        default: fn() -> T,
    ) -> Self {
        Self { name, alias: None, decode, encode, default, lenient: false, ttl: None }
    }

    /// The same field, which was stored under another name before: where its own is missing, that
    /// one is read. A write moves it.
    pub const fn with_alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// The same field, which reads as its default when what is stored is not a `T`. A warning in
    /// the log says so.
    pub const fn default_on_decode_error(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// The same field, which the store removes that long after each write of it.
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The field's name in the hash.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name in the hash that the field had before.
    pub const fn alias(&self) -> Option<&'static str> {
        self.alias
    }

    /// How long the field is kept after a write; as long as the session if this is `None`.
    pub const fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// The names under which the value may be stored, the newest first.
    pub(crate) fn read_names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.alias())
    }

    pub(crate) fn default(&self) -> T {
        (self.default)()
    }

    /// What is stored and not valid reads as the default.
    pub(crate) fn is_lenient(&self) -> bool {
        self.lenient
    }

    pub(crate) fn out_of_range(&self) -> Error {
        Error::new(Kind::OutOfRange { field: self.name, type_name: type_name::<T>() })
    }

    pub(crate) fn not_a_number(&self) -> Error {
        self.invalid(InvalidValue::new("not a number of this type"))
    }

    fn invalid(&self, source: InvalidValue) -> Error {
        Error::new(Kind::Decode { field: self.name, type_name: type_name::<T>(), source })
    }

    pub(crate) fn read(&self, stored: Option<Bytes>) -> Result<T, Error> {
        let Some(stored) = stored else { return Ok(self.default()) };
        (self.decode)(stored).or_else(|reason| self.undecodable(reason))
    }

    fn undecodable(&self, source: InvalidValue) -> Result<T, Error> {
        let (field, type_name) = (self.name, type_name::<T>());
        if self.lenient {
            tracing::warn!(field, r#type = type_name, reason = %source, "a stored field is not valid, its default is used");
            return Ok(self.default());
        }
        Err(self.invalid(source))
    }

    /// The bytes to store, or `None` if this value is that of a field that is not there.
    pub(crate) fn write(&self, value: &T) -> Result<Option<Bytes>, Error> {
        (self.encode)(value).map_err(|source| {
            Error::new(Kind::Encode { field: self.name, type_name: type_name::<T>(), source })
        })
    }
}

impl<T> FieldSpec<Option<T>> {
    /// An optional field stored as JSON: `None` is a field that is not there. A stored `null` reads
    /// as `None` too, unless it is a `T`.
    pub const fn json_option(name: &'static str) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        Self::json_option_or(name, || None)
    }

    /// An optional field stored as JSON, with this default.
    pub const fn json_option_or(name: &'static str, default: fn() -> Option<T>) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        Self::new(name, json::decode_option, json::encode_option, default)
    }
}

impl<T> fmt::Debug for FieldSpec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldSpec")
            .field("name", &self.name)
            .field("type", &type_name::<T>())
            .finish()
    }
}
