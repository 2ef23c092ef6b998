//! The stored form of a field.

use std::any::type_name;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FieldDefault, IndexValue, Stored, json};
use crate::encryption::{Encryption, Unopened};
use crate::error::{Error, InvalidValue, Kind};

/// The stored form of a field: its name in the hash, its encoding and its default.
///
/// The derive generates a `FieldSpec` for every field. A [`Field`](crate::Field) refers to its
/// `FieldSpec`.
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
    /// Stored values that cannot be decoded read as the default.
    lenient: bool,
    ttl: Option<Duration>,
    index: Option<&'static str>,
    /// A near cache may keep the value.
    cached: bool,
    encryption: Option<Encryption>,
}

impl<T> FieldSpec<T> {
    /// Creates a field in the stored form of its type, with the default of the type.
    pub const fn value(name: &'static str) -> Self
    where
        T: Stored + FieldDefault,
    {
        Self::value_or(name, T::field_default)
    }

    /// Creates a field in the stored form of its type, with this default.
    pub const fn value_or(name: &'static str, default: fn() -> T) -> Self
    where
        T: Stored,
    {
        Self::new(name, T::decode_stored, T::encode_stored, default)
    }

    /// Creates a field stored as JSON.
    pub const fn json(name: &'static str) -> Self
    where
        T: Serialize + DeserializeOwned + Default,
    {
        Self::json_or(name, T::default)
    }

    /// Creates a field stored as JSON, with this default.
    pub const fn json_or(name: &'static str, default: fn() -> T) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        Self::new(name, json::decode, json::encode_some, default)
    }

    /// Creates a field that these functions read and write, with this default. If `encode` returns
    /// `None`, the field is removed.
    pub const fn new(
        name: &'static str,
        decode: fn(Bytes) -> Result<T, InvalidValue>,
        encode: fn(&T) -> Result<Option<Bytes>, InvalidValue>,
        default: fn() -> T,
    ) -> Self {
        Self {
            name,
            alias: None,
            decode,
            encode,
            default,
            lenient: false,
            ttl: None,
            index: None,
            cached: false,
            encryption: None,
        }
    }

    /// Adds a former name. If the field is missing under its own name, the former name is read. A
    /// write moves the field to its own name.
    #[doc(alias = "rename")]
    pub const fn with_alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// Makes stored values that are not a `T` read as the default. Each such read logs a warning.
    pub const fn default_on_decode_error(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Makes the store remove the field after this time since the last write of the field.
    #[doc(alias = "expiry")]
    #[doc(alias = "expire")]
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Lets a [near cache](crate::NearCache) keep the value. The field must have no `ttl`.
    pub const fn cached(mut self) -> Self {
        self.cached = true;
        self
    }

    /// Encrypts the value before it reaches the store.
    #[cfg(feature = "encryption")]
    pub const fn encrypted(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// Returns the name in the hash.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the former name in the hash.
    pub const fn alias(&self) -> Option<&'static str> {
        self.alias
    }

    /// Returns how long the field is kept after a write. `None` means as long as the session.
    pub const fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Returns the name of the index that lists sessions by this field, if any.
    pub const fn index(&self) -> Option<&'static str> {
        self.index
    }

    /// Returns whether a near cache may keep the value.
    pub const fn is_cached(&self) -> bool {
        self.cached
    }

    /// Returns how the value is encrypted, if it is.
    #[inline]
    pub(crate) const fn encryption(&self) -> Option<Encryption> {
        self.encryption
    }

    /// Returns whether the value has a single name and is not encrypted.
    #[inline]
    pub(crate) const fn is_plain_and_single(&self) -> bool {
        self.alias.is_none() && self.encryption.is_none()
    }

    /// Returns the names under which the value may be stored, the newest first.
    pub(crate) fn read_names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.alias())
    }

    pub(crate) fn default(&self) -> T {
        (self.default)()
    }

    /// Returns whether stored values that are not valid read as the default.
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

    /// Decodes a stored value, without a default in its place.
    pub(crate) fn decode(&self, stored: Bytes) -> Result<T, InvalidValue> {
        (self.decode)(stored)
    }

    pub(crate) fn read(&self, stored: Option<Bytes>) -> Result<T, Error> {
        let Some(stored) = stored else { return Ok(self.default()) };
        (self.decode)(stored).or_else(|reason| self.undecodable(reason))
    }

    /// Reads a value that was encrypted.
    pub(crate) fn read_opened(&self, opened: Result<Bytes, Unopened>) -> Result<T, Error> {
        match opened {
            Ok(value) => self.read(Some(value)),
            Err(unopened) => {
                let error = || self.not_opened(unopened);
                match unopened {
                    // With the default in place of the value, an update would destroy the value.
                    Unopened::UnknownKey => Err(error()),
                    Unopened::Plain | Unopened::Altered => {
                        self.default_or(&unopened.reason(), error)
                    }
                }
            }
        }
    }

    /// Returns the error for a value that cannot be decrypted.
    pub(crate) fn not_opened(&self, unopened: Unopened) -> Error {
        Error::new(Kind::Decrypt { field: self.name, reason: unopened.reason() })
    }

    fn undecodable(&self, source: InvalidValue) -> Result<T, Error> {
        self.default_or(&source.clone(), || self.invalid(source))
    }

    /// Returns the default for a stored value that is not valid, or the error if the field is not
    /// lenient.
    fn default_or(
        &self,
        reason: &dyn fmt::Display,
        error: impl FnOnce() -> Error,
    ) -> Result<T, Error> {
        if !self.lenient {
            return Err(error());
        }
        let (field, type_name) = (self.name, type_name::<T>());
        tracing::warn!(field, r#type = type_name, %reason, "a stored field is not valid, using its default");
        Ok(self.default())
    }

    /// Returns the bytes to store, or `None` if the value means a missing field.
    pub(crate) fn write(&self, value: &T) -> Result<Option<Bytes>, Error> {
        (self.encode)(value).map_err(|source| {
            Error::new(Kind::Encode { field: self.name, type_name: type_name::<T>(), source })
        })
    }
}

impl<T> FieldSpec<Option<T>> {
    /// Lists the sessions by the values of this field, under this name of the index.
    pub const fn with_index(mut self, index: &'static str) -> Self
    where
        T: IndexValue,
    {
        self.index = Some(index);
        self
    }

    /// Creates an optional field stored as JSON. `None` means a missing field. A stored `null`
    /// reads as `None` too, unless `null` is a valid `T`.
    pub const fn json_option(name: &'static str) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        Self::json_option_or(name, || None)
    }

    /// Creates an optional field stored as JSON, with this default.
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
